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

/// How much one request holds. A single task may exceed it.
struct RequestRoom {
  std::size_t tasks = 2'000;
  std::size_t needs = 20'000;
  std::size_t bytes = 1'000'000;  ///< of texts
};

/// Posts the tasks whose ids are not in `known` yet; those that are must not need others. `send` delivers one
/// request and returns its reply. Errors: those of `send`; what was posted before stays.
Result<PostedPlan> post_plan(const Plan& plan, const std::function<Result<Posted>(Post)>& send,
                             PostedPlan known = {}, const RequestRoom& room = {});

/// The whole plan in one request.
Post post_of(const Plan& plan);

/// A traced runtime becomes `runtime × scale` seconds of work; time limits grow with it. `scale` > 0.
void scale_sizes(Plan& plan, Micros scale);

}  // namespace bidboard
