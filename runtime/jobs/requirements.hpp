// Checks whether the agents of a file can do the tasks of that file.
#pragma once

#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// Adds a finding for every task that none of the plan's agents may take: a skill that no agent has, or not
/// at that level, a command that no agent may execute, a project that no agent works for, or no single agent
/// with all of these.
void check_requirements(const Plan& plan, Diagnostics& diagnostics);

}  // namespace bidboard
