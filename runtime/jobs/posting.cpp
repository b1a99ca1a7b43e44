#include "runtime/jobs/posting.hpp"

#include <algorithm>
#include <numeric>
#include <span>

namespace bidboard {
namespace {

/// A simulated task that takes this many times its size has a broken agent.
constexpr std::int64_t timeout_factor = 20;

/// The tasks at the positions of `part`, of which `posted` has the ids of those before.
Post request_of(const Plan& plan, std::span<const std::size_t> part, const PostedPlan& posted) {
  std::vector<std::uint32_t> place_in_request(plan.tasks.size(), UINT32_MAX);
  for (std::size_t i = 0; i < part.size(); ++i) place_in_request[part[i]] = static_cast<std::uint32_t>(i);
  Post request;
  if (posted.workflow)
    request.joins = posted.workflow;
  else
    request.workflow = plan.name;
  request.source = plan.source;
  request.planned = static_cast<std::uint32_t>(plan.tasks.size());
  for (std::size_t i = 0; i < part.size(); ++i) {
    const PlannedTask& task = plan.tasks[part[i]];
    TaskSpec spec = task.spec;
    for (const PlannedNeed& need : task.needs)
      if (const std::uint32_t place = place_in_request[need.task]; place != UINT32_MAX)
        request.batch_needs.push_back({static_cast<std::uint32_t>(i), place, need.any});
      else
        spec.needs.push_back({posted.ids[need.task], need.any});
    request.tasks.push_back(std::move(spec));
  }
  return request;
}

/// Of all texts that a file can give a task.
std::size_t text_bytes(const TaskSpec& spec) {
  std::size_t bytes = 0;
  for (const std::string* text :
       {&spec.title, &spec.body, &spec.kind, &spec.project, &spec.run, &spec.key, &spec.name, &spec.dir})
    bytes += text->size();
  for (const SkillNeed& skill : spec.skills) bytes += skill.name.size();
  for (const std::string& label : spec.labels) bytes += label.size();
  for (const EnvVariable& variable : spec.env) bytes += variable.name.size() + variable.value.size();
  for (const std::string& secret : spec.secrets) bytes += secret.size();
  return bytes;
}

/// How many tasks, from the first on, one request may hold: at least one.
std::size_t fitting(const Plan& plan, std::span<const std::size_t> order, const RequestRoom& room) {
  RequestRoom used{0, 0, 0};
  for (const std::size_t position : order) {
    const PlannedTask& task = plan.tasks[position];
    used.needs += task.needs.size();
    used.bytes += text_bytes(task.spec);
    const bool fits = used.tasks < room.tasks && used.needs <= room.needs && used.bytes <= room.bytes;
    if (used.tasks > 0 && !fits) break;
    used.tasks += 1;
  }
  return used.tasks;
}

std::vector<std::size_t> order_of_the_file(const Plan& plan) {
  std::vector<std::size_t> order(plan.tasks.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  return order;
}

}  // namespace

Result<PostedPlan> post_plan(const Plan& plan, const std::function<Result<Posted>(Post)>& send,
                             PostedPlan known, const RequestRoom& room) {
  PostedPlan posted = std::move(known);
  posted.ids.resize(plan.tasks.size());
  std::vector<std::size_t> order = order_of_the_file(plan);
  if (fitting(plan, order, room) < order.size()) order = needs_first(plan);
  std::erase_if(order, [&](std::size_t position) { return posted.ids[position].value != 0; });
  for (std::span<const std::size_t> rest = order; !rest.empty();) {
    const auto part = rest.first(fitting(plan, rest, room));
    rest = rest.subspan(part.size());
    const Result<Posted> answer = send(request_of(plan, part, posted));
    if (!answer) return fail(answer.error());
    if (answer->ids.size() != part.size())
      return fail(Errc::failed, "the board answered with another number of tasks");
    posted.workflow = answer->workflow;
    for (std::size_t i = 0; i < part.size(); ++i) posted.ids[part[i]] = answer->ids[i];
  }
  return posted;
}

Post post_of(const Plan& plan) {
  PostedPlan nothing;
  nothing.ids.resize(plan.tasks.size());
  return request_of(plan, order_of_the_file(plan), nothing);
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
