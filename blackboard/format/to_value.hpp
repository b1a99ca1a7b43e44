// Records and events as object trees, for `--json`, `log` and people: ids as "t12", times in seconds since
// the epoch (null when unset), micro-units as numbers, enums as words. Hashes of secrets are left out.
#pragma once

#include "blackboard/events.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

Value to_value(const Task& task);
Value to_value(const TaskSpec& spec);
Value to_value(const Agent& agent);
Value to_value(const AgentProfile& profile);
Value to_value(const Auction& auction);
Value to_value(const Discovery& discovery);
Value to_value(const Workflow& workflow);
Value to_value(const Config& config);
/// The event's own fields, without time and kind.
Value to_value(const EventBody& event);

}  // namespace bidboard
