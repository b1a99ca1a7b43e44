// A job's workflow on the board: the one of an earlier run of the same file that goes on, or a new one.
#pragma once

#include <functional>

#include "blackboard/requests.hpp"
#include "runtime/jobs/continuation.hpp"
#include "runtime/jobs/posting.hpp"
#include "runtime/shell/board_view.hpp"

namespace bidboard {

struct JobWorkflow {
  WorkflowId id;
  bool goes_on = false;        ///< an earlier run had begun it
  Continuation earlier;        ///< of that run; without one no task is kept
  std::vector<TaskId> cancel;  ///< of earlier runs, by post_rest()
};

/// Sends one request to the board.
using Send = std::function<Result<ReplyBody>(RequestBody)>;

/// Finds the last workflow that came from plan.source, unless that is empty, and continues it if anything of
/// it is left to do; else opens a new one. `fresh`: opens a new one, and cancels what is left of the other.
/// Nothing is cancelled before post_rest(), since the job may still be refused.
Result<JobWorkflow> open_workflow(const BoardView& board, const Plan& plan, bool fresh, const Send& send);

/// Cancels what was replaced, posts what is new and retries what had failed. Returns the ids of all tasks of
/// the plan.
Result<PostedPlan> post_rest(const Plan& plan, const JobWorkflow& workflow, const Send& send);

/// "going on with w3: 2 of 4 tasks done already; changed: build, test". Empty for a new workflow.
std::string in_words(const Plan& plan, const JobWorkflow& workflow);

}  // namespace bidboard
