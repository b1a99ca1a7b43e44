// `--rehearse`: agents with a preset run a stand-in (agents/clients/stand_in.hpp) instead of its client, so
// that anybody can try a team without an account. All else is as it is: prompts, worktrees, budgets, the
// adapter that reads the output. Edge code.
#pragma once

#include <string>
#include <vector>

#include "blackboard/result.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// Makes stand-ins of the agents with a preset. They read no keys: no env_file, and secrets with a value that
/// means nothing, by a variable that this sets for the processes that are started from here. Returns what
/// people should know of it. Errors: invalid (no agent has a preset). `file`: where the agents stand.
Result<std::string> rehearse(std::vector<PlannedAgent>& agents, const std::string& file);

}  // namespace bidboard
