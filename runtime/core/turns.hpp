// Fail-over: accounts whose agents take only tasks that have waited for some time, so that they are left to
// others first (AccountLimits::after). A task waits while it may be awarded; the time is not on the board,
// and begins anew with the controller. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "auction/bid.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/records.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

struct Change;
struct Core;

/// Empty while no account comes later than others.
struct Turns {
  std::map<TaskId, Instant> waits_since;
  std::set<std::pair<Instant, TaskId>> due;  ///< when further accounts may have it; some are out of date
};

/// Why the agent may not have the task yet; nothing: it may, as one for which it is reserved.
std::optional<Refusal> comes_later(const Core& core, const Task& task, const Agent& agent);

/// A reaction (reactions.hpp): a task begins to wait, or is awarded.
void count_for_turns(Core& core, const Change& change);
/// Tasks that have waited long enough for further accounts are looked at again.
void act_on_turns(Core& core);
Instant next_turn(const Core& core);
/// At start, when a batch was lost, and when the configuration has changed.
void expect_turns(Core& core);

}  // namespace bidboard
