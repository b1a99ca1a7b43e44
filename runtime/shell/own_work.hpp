// What a task's process has changed in its worktree, committed before its result is told: tasks that wait for
// this one begin with the work at once.
#pragma once

#include "agents/worktrees/worktree.hpp"

namespace bidboard {

/// Nothing, outside of the task's own worktree (BIDBOARD_TASK, BIDBOARD_WORKTREE). Errors: as save_worktree.
Result<SavedWork> save_own_work(TaskId task);

}  // namespace bidboard
