// Records and events as object trees, for `--json`, `log` and people: ids as "t12", times in seconds since
// the epoch (null when unset), micro-units as numbers, enums as words. Hashes of secrets are left out.
#pragma once

#include "blackboard/events.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

/// Compiled in to_value.cpp for every kind of record (record_kinds.hpp), and for TaskSpec, AgentProfile,
/// Auction, EditNote and SignedComment.
template <HasFields Record>
Value to_value(const Record& record);
/// The event's own fields, without time and kind.
Value to_value(const EventBody& event);

}  // namespace bidboard
