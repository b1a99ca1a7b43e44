// Which event makes which move of the state table (task_states.hpp). Board::apply, the replay of a log and
// the simulator's checkers ask it, so that no event can take a task where the table does not lead.
#pragma once

#include <optional>

#include "blackboard/events.hpp"
#include "blackboard/task_states.hpp"

namespace bidboard {

/// The state of a task once the event about it has happened; nothing: the table does not allow the event.
std::optional<TaskState> state_after(TaskState from, const EventBody& event);

}  // namespace bidboard
