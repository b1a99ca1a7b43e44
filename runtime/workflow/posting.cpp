#include "runtime/workflow/posting.hpp"

#include <algorithm>
#include <numeric>

#include "blackboard/check.hpp"

namespace bidboard {
namespace {

/// A simulated task that takes this many times its size has a broken agent.
constexpr std::int64_t timeout_factor = 20;

/// Positions of the plan's tasks, each after all it needs, otherwise in the order of the file. REQUIRES: no
/// cycle.
std::vector<std::uint32_t> needs_first(const Plan& plan) {
  std::vector<std::uint32_t> open(plan.tasks.size(), 0);
  std::vector<std::vector<std::uint32_t>> dependents(plan.tasks.size());
  for (std::uint32_t i = 0; i < plan.tasks.size(); ++i)
    for (const PlannedNeed& need : plan.tasks[i].needs) {
      ++open[i];
      dependents[need.task].push_back(i);
    }
  std::vector<std::uint32_t> order;
  for (std::uint32_t i = 0; i < plan.tasks.size(); ++i)
    if (open[i] == 0) order.push_back(i);
  for (std::size_t at = 0; at < order.size(); ++at)
    for (const std::uint32_t dependent : dependents[order[at]])
      if (--open[dependent] == 0) order.push_back(dependent);
  BB_CHECK(order.size() == plan.tasks.size(), "read_plan refuses cycles");
  return order;
}

}  // namespace

Result<PostedPlan> post_plan(const Plan& plan, const std::function<Result<Posted>(Post)>& send,
                             std::size_t tasks_per_request) {
  std::vector<std::uint32_t> order(plan.tasks.size());
  std::iota(order.begin(), order.end(), 0u);
  if (order.size() > tasks_per_request) order = needs_first(plan);
  PostedPlan posted;
  posted.ids.resize(plan.tasks.size());
  for (std::size_t from = 0; from < order.size(); from += tasks_per_request) {
    const std::size_t to = std::min(order.size(), from + tasks_per_request);
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
    const Result<Posted> answer = send(std::move(request));
    if (!answer) return fail(answer.error());
    if (answer->ids.size() != to - from)
      return fail(Errc::failed, "the board answered with another number of tasks");
    posted.workflow = answer->workflow;
    for (std::size_t i = from; i < to; ++i) posted.ids[order[i]] = answer->ids[i - from];
  }
  return posted;
}

void scale_sizes(Plan& plan, Micros scale) {
  for (PlannedTask& task : plan.tasks) {
    task.spec.size = mul_micros(task.spec.size, scale);
    task.spec.timeout = std::max(task.spec.timeout, Duration{task.spec.size} * timeout_factor);
  }
  plan.total_work = mul_micros(plan.total_work, scale);
  plan.critical_path = mul_micros(plan.critical_path, scale);
}

}  // namespace bidboard
