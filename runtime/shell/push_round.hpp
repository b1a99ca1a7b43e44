// Pushing what merging leaves to pull requests: the work of each done task as a branch of its own. Edge code.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agents/worktrees/pushing.hpp"
#include "runtime/shell/merge_round.hpp"

namespace bidboard {

/// Done tasks with a commit that the remote lacks and that was not pushed before, or those that were asked
/// for by name; the one that was done first is first. Errors: of git.
Result<std::vector<Task>> to_be_pushed(const MergeOrder& order, const Pushing& pushing);

/// Why the task's work was not pushed when that was tried last; empty: it was not refused. It is a comment on
/// the task.
Result<std::string> refusal_of(const BoardView& board, TaskId task, const Pushing& pushing);

/// Pushes them, until the remote cannot be reached. `tell`: what becomes of each, in words. Whether all was
/// pushed. Errors: unavailable (no board can be reached).
Result<bool> push_round(const Globals& globals, const std::vector<Task>& tasks, Pushing& pushing,
                        const std::function<void(TaskId, const std::string&)>& tell);

}  // namespace bidboard
