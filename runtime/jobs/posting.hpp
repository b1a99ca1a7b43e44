// Turns a plan into requests that post its tasks. Large plans are split into several requests, needed tasks
// first.
#pragma once

#include <functional>

#include "blackboard/messages.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

struct PostedPlan {
  WorkflowId workflow;
  std::vector<TaskId> ids;  ///< in the order of Plan::tasks
};

/// `send` delivers one request and returns its reply. Errors: those of `send`; what was posted before stays.
Result<PostedPlan> post_plan(const Plan& plan, const std::function<Result<Posted>(Post)>& send,
                             std::size_t tasks_per_request = 2'000);

/// The whole plan in one request.
Post post_of(const Plan& plan);

/// A traced runtime becomes `runtime × scale` seconds of work; time limits grow with it. `scale` > 0.
void scale_sizes(Plan& plan, Micros scale);

}  // namespace bidboard
