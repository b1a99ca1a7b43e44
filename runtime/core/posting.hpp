// Posting tasks, what a task may be, and the order that follows from dependencies. Pure.
#pragma once

#include "runtime/core/core.hpp"
#include "runtime/core/requests.hpp"

namespace bidboard {

/// Posts all tasks of the request or none. Errors: invalid, not_found, conflict, storage (the board is nearly
/// full).
Result<Posted> post_tasks(Core& core, const Actor& actor, const Post& post);

// What posting and editing check alike.
/// Title, bounds, numbers, labels. Errors: invalid.
Result<void> check_spec(const TaskSpec& spec);
/// Errors: not_found.
Result<void> check_needs_exist(const Board& board, const TaskSpec& spec);
/// Errors: storage, the board is nearly full; `what` is refused then.
Result<void> check_room(const Board& board, std::string_view what);
/// "t1 needs t2 needs t1"
std::string spelled_out(const std::vector<TaskId>& cycle);

/// Recomputes the bottom levels of all unfinished tasks, or sets them to zero.
void relevel_all(Core& core, bool by_bottom_level);
/// Raises the bottom levels of what this task needs, transitively.
void raise_levels_above(Core& core, TaskId from);
/// Lowers the bottom levels of these tasks, which fewer tasks need than before, and of what they need.
void lower_levels(Core& core, const std::vector<TaskId>& from);

}  // namespace bidboard
