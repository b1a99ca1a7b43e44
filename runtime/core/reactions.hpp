// What follows from an event: one ordered list of functions (reactions.cpp), which Core::emit calls for every
// event after it was applied. A reaction looks at the change and may emit further events, whose reactions run
// later. Whatever must follow from every event of a kind belongs here, so that no place that emits one can
// forget it. Pure.
#pragma once

#include <optional>

#include "blackboard/events.hpp"

namespace bidboard {

struct Core;

/// An event that was applied, and the previous state of the task that it is about.
struct Change {
  /// REQUIRES for each: the task exists.
  struct Before {
    TaskState state = TaskState::ready;
    AgentId holder;
    bool awaited_award = false;  ///< the task was in the ready index
    Amount spent;                ///< by all its attempts
  };
  const Event* event;            ///< never nullptr; kept by the board until the batch ends
  TaskId task;                   ///< the task that the event is about; 0: none
  std::optional<Before> before;  ///< nothing: no task, or one that was just posted

  bool ended(TaskState now) const { return before && !is_over(before->state) && is_over(now); }
};

/// What is known before the event is applied; the caller sets Change::event after.
Change change_before(const Core& core, const Event& event);
/// Calls every reaction, in order.
void react_to(Core& core, const Change& change);

}  // namespace bidboard
