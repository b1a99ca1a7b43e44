// The process between a task's guard and its command: opens the worktree, runs the command in it, commits
// what it left, and ends as the command did. It is a process of its own because git may take long and agents'
// loops never block; it belongs to the task's process tree, so that time limits, stops and crashes of the
// agent end it too. SIGTERM reaches the command only: what it has done is committed before this process ends,
// unless the guard kills it first. Edge code.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "agents/worktrees/worktree.hpp"

namespace bidboard {

/// What became of it, for the agent.
struct WorktreeOutcome {
  SavedWork work;                ///< no commit: see `error`
  std::string error;             ///< empty: all went well
  Outage outage = Outage::none;  ///< not the task's fault: the agent can open no worktree at all
  bool begun = true;             ///< false: the worktree could not be opened
};

/// What this process is told to do.
struct WorktreeRun {
  WorktreeOrder order;
  std::vector<std::string> argv;  ///< argv[0] is a path
  std::string outcome_file;       ///< gets outcome_text(), and appears as a whole
};

/// In JSON, as it goes from the agent to this process and back. Errors: invalid.
std::string run_text(const WorktreeRun& run);
Result<WorktreeRun> read_run(std::string_view text);
std::string outcome_text(const WorktreeOutcome& outcome);
Result<WorktreeOutcome> read_outcome(std::string_view text);

/// In the environment of the command: the path of its worktree.
constexpr const char* worktree_variable = "BIDBOARD_WORKTREE";

/// Returns the exit status of the command; does not return if a signal ended it: then the same signal ends
/// this process.
int work_in_worktree(const WorktreeRun& run);

}  // namespace bidboard
