#include "runtime/shell/job_report.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

constexpr std::size_t most_results = 20;

Shown first_line(const std::string& text) { return cut_to(text.substr(0, text.find('\n')), 100); }

}  // namespace

Result<JobSummary> summarise(const BoardView& board, const Plan& plan, const std::vector<TaskId>& ids,
                             WallTime begun) {
  JobSummary summary;
  summary.tasks = ids.size();
  summary.least = {plan.critical_path};
  WallTime first{INT64_MAX};
  WallTime last;
  std::vector<bool> is_needed(ids.size(), false);
  for (const PlannedTask& task : plan.tasks)
    for (const PlannedNeed& need : task.needs) is_needed[need.task] = true;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    Result<Task> task = board.task(ids[i]);
    if (!task) return fail(task.error());
    first = std::min(first, task->created_at);
    last = std::max(last, task->finished_at);
    if (task->epoch.value > 1) summary.retries += task->epoch.value - 1;
    summary.price += task->price;
    summary.tokens += task->tokens;
    if (task->state == TaskState::done) {
      ++summary.done;
      AgentShare& share = summary.agents[board.agent_name(task->holder)];
      ++share.tasks;
      const WallTime since = std::max(task->awarded_at, begun);
      share.busy = share.busy + std::max(task->finished_at - since, Duration{});
      if (is_needed[i]) continue;
      Result<std::string> result = board.result_of(*task);
      if (!result) return fail(result.error());
      summary.results.emplace_back(task->spec.name.empty() ? task->spec.title : task->spec.name,
                                   std::move(*result));
    } else {
      summary.not_done.push_back(std::move(*task));
    }
  }
  first = std::max(first, begun);
  summary.makespan = std::max(last, first) - first;
  return summary;
}

void print_summary(const JobSummary& s) {
  if (s.results.size() == 1 && !s.results.front().second.empty()) {
    say("\n{}", Shown::lines(s.results.front().second));
  } else {
    for (std::size_t i = 0; i < std::min(s.results.size(), most_results); ++i)
      if (!s.results[i].second.empty())
        say("{}{}: {}", Shown::own(i == 0 ? "\n" : ""), s.results[i].first, first_line(s.results[i].second));
  }
  Shown text =
      words("\n{} {} of {} in {}; the estimated critical path is {}",
            s.not_done.empty() ? coloured(Colour::green, "done:") : coloured(Colour::red, "not all done:"),
            s.done, counted(s.tasks, "task"), s.makespan, s.least);
  if (s.retries > 0) text += words("; {}", counted(s.retries, "retry", "retries"));
  if (s.price != 0) text += words("; price {}", format_micros(s.price));
  if (s.tokens > 0) text += words("; {}", counted(static_cast<std::uint64_t>(s.tokens), "token"));
  say("{}", wrapped(text));
  Table table({"AGENT", "TASKS", "BUSY", "SHARE"});
  for (const auto& [name, share] : s.agents)
    table.add({name, fmt::format("{}", share.tasks), format_duration(share.busy),
               s.makespan.us > 0 ? fmt::format("{} %", share.busy.us * 100 / s.makespan.us) : "-"});
  if (!table.empty()) table.print();
  for (const Task& task : s.not_done)
    say("{}", wrapped(words("{} {} is {}", task.id, task.spec.title, state_and_reason(task))));
}

Value to_value(const JobSummary& s) {
  Value out{Value::Object{}};
  out.set("tasks", static_cast<std::int64_t>(s.tasks));
  out.set("done", static_cast<std::int64_t>(s.done));
  out.set("retries", static_cast<std::int64_t>(s.retries));
  out.set("makespan", static_cast<double>(s.makespan.us) / 1e6);
  out.set("critical_path", static_cast<double>(s.least.us) / 1e6);
  out.set("price", from_micros(s.price));
  out.set("tokens", s.tokens);
  Value agents{Value::Object{}};
  for (const auto& [name, share] : s.agents) {
    Value one_agent{Value::Object{}};
    one_agent.set("tasks", static_cast<std::int64_t>(share.tasks));
    one_agent.set("busy", static_cast<double>(share.busy.us) / 1e6);
    agents.set(name, std::move(one_agent));
  }
  out.set("agents", std::move(agents));
  Value results{Value::Object{}};
  for (const auto& [name, text] : s.results) {
    Result<Value> json = parse_json(text);
    results.set(name, json ? std::move(*json) : Value(text));
  }
  out.set("results", std::move(results));
  Value failed{Value::Array{}};
  for (const Task& task : s.not_done) {
    Value item{Value::Object{}};
    item.set("id", to_string(task.id));
    item.set("state", name(task.state));
    item.set("reason", task.reason);
    failed.push(std::move(item));
  }
  out.set("not_done", std::move(failed));
  return out;
}

}  // namespace bidboard
