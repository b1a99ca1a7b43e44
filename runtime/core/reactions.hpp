// What follows from an event: one ordered list of functions (reactions.cpp), called for every event after it
// was applied, by Core::emit. A reaction looks at what changed and may emit further events, whose reactions
// come after. What every event of a kind must lead to belongs here, so that no place that emits one can
// forget it. Pure.
#pragma once

#include <optional>

#include "blackboard/events.hpp"

namespace bidboard {

struct Core;

/// An event that was applied, and what the task it is about was before.
struct Change {
  /// REQUIRES for each: the task exists.
  struct Before {
    TaskState state = TaskState::ready;
    AgentId holder;
    bool awaited_award = false;  ///< it was in the ready index
  };
  Event event;
  TaskId task;                   ///< it is about; 0: none
  std::optional<Before> before;  ///< nothing: no task, or one that was just posted

  bool ended(TaskState now) const { return before && !is_over(before->state) && is_over(now); }
};

/// REQUIRES: to be called before the event is applied.
Change change_of(const Core& core, Event event);
/// Calls every reaction, in order.
void react_to(Core& core, const Change& change);

}  // namespace bidboard
