#include "runtime/jobs/posting.hpp"

#include <algorithm>
#include <numeric>

namespace bidboard {
namespace {

/// A simulated task that takes this many times its size has a broken agent.
constexpr std::int64_t timeout_factor = 20;

/// The tasks from `from` up to `to` in this order, of which `posted` has the ids of those before.
Post request_of(const Plan& plan, const std::vector<std::size_t>& order, std::size_t from, std::size_t to,
                const PostedPlan& posted) {
  std::vector<std::uint32_t> place_in_request(plan.tasks.size(), UINT32_MAX);
  for (std::size_t i = from; i < to; ++i) place_in_request[order[i]] = static_cast<std::uint32_t>(i - from);
  Post request;
  if (from == 0)
    request.workflow = plan.name;
  else
    request.joins = posted.workflow;
  request.source = plan.source;
  for (std::size_t i = from; i < to; ++i) {
    const PlannedTask& task = plan.tasks[order[i]];
    TaskSpec spec = task.spec;
    for (const PlannedNeed& need : task.needs)
      if (const std::uint32_t place = place_in_request[need.task]; place != UINT32_MAX)
        request.batch_needs.push_back({static_cast<std::uint32_t>(i - from), place, need.any});
      else
        spec.needs.push_back({posted.ids[need.task], need.any});
    request.tasks.push_back(std::move(spec));
  }
  return request;
}

std::vector<std::size_t> order_of_the_file(const Plan& plan) {
  std::vector<std::size_t> order(plan.tasks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

}  // namespace

Result<PostedPlan> post_plan(const Plan& plan, const std::function<Result<Posted>(Post)>& send,
                             std::size_t tasks_per_request) {
  const std::vector<std::size_t> order =
      plan.tasks.size() > tasks_per_request ? needs_first(plan) : order_of_the_file(plan);
  PostedPlan posted;
  posted.ids.resize(plan.tasks.size());
  for (std::size_t from = 0; from < order.size(); from += tasks_per_request) {
    const std::size_t to = std::min(order.size(), from + tasks_per_request);
    const Result<Posted> answer = send(request_of(plan, order, from, to, posted));
    if (!answer) return fail(answer.error());
    if (answer->ids.size() != to - from)
      return fail(Errc::failed, "the board answered with another number of tasks");
    posted.workflow = answer->workflow;
    for (std::size_t i = from; i < to; ++i) posted.ids[order[i]] = answer->ids[i - from];
  }
  return posted;
}

Post post_of(const Plan& plan) { return request_of(plan, order_of_the_file(plan), 0, plan.tasks.size(), {}); }

void scale_sizes(Plan& plan, Micros scale) {
  for (PlannedTask& task : plan.tasks) {
    task.spec.size = mul_micros(task.spec.size, scale);
    task.spec.timeout = std::max(task.spec.timeout, Duration{task.spec.size} * timeout_factor);
  }
  plan.total_work = mul_micros(plan.total_work, scale);
  plan.critical_path = mul_micros(plan.critical_path, scale);
}

}  // namespace bidboard
