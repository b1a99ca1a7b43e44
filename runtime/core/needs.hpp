// Changing what a posted task needs. Pure.
#pragma once

#include <vector>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Adds or removes a dependency. Errors: not_found, conflict (too late), invalid (it would close a cycle).
Result<Changed> change_need(Core& core, const Depend& request);

/// Whether the task may need these. Errors: invalid, with the cycle that it would close. REQUIRES: all of
/// them exist.
Result<void> check_no_cycle(const Core& core, TaskId task, const std::vector<Need>& needs);
/// What follows once the task's needs have changed: it is blocked, ready or skipped, and the tasks that it
/// needs are more urgent; those that it needs no longer (`dropped`) are less.
void follow_needs(Core& core, TaskId task, const std::vector<TaskId>& dropped);

}  // namespace bidboard
