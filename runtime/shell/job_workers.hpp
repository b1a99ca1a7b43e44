// The agents that `bidboard run` starts for a job.
#pragma once

#include <vector>

#include "runtime/jobs/plan.hpp"
#include "runtime/shell/job_run.hpp"

namespace bidboard {

/// The job's own. If it names none: some that execute commands, unless the board has agents for the jobs of
/// others (`has_others`). Errors: as BoardView::open.
Result<std::vector<PlannedAgent>> job_workers(const BoardDirectory& board, const Plan& plan,
                                              const JobOptions& options, bool has_others);

/// Errors: conflict, when another process works under one of the names.
Result<void> check_names(const BoardDirectory& board, const std::vector<PlannedAgent>& agents,
                         const JobOptions& options);

}  // namespace bidboard
