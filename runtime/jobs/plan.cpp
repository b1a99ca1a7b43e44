#include "runtime/jobs/plan.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"
#include "runtime/jobs/graph_file.hpp"
#include "runtime/jobs/job_file.hpp"
#include "runtime/jobs/trace.hpp"

namespace bidboard {
namespace {

constexpr int max_cycles_told = 10;

TaskId vertex(std::size_t position) { return TaskId{position + 1}; }
std::size_t position(TaskId vertex) { return static_cast<std::size_t>(vertex.value - 1); }

TaskGraph graph_of(const std::vector<PlannedTask>& tasks) {
  std::vector<Micros> sizes;
  for (const PlannedTask& task : tasks) sizes.push_back(task.spec.size);
  return graph_of(tasks, sizes);
}

}  // namespace

std::string_view name(ExecutorKind kind) {
  switch (kind) {
    case ExecutorKind::command:
      return "command";
    case ExecutorKind::coprocess:
      return "coprocess";
    case ExecutorKind::simulated:
      return "simulated";
  }
  return "unknown";
}

std::string_view name(WorktreeMode mode) {
  switch (mode) {
    case WorktreeMode::none:
      return "none";
    case WorktreeMode::task:
      return "task";
    case WorktreeMode::agent:
      return "agent";
  }
  return "unknown";
}

Result<Plan> read_plan(std::string_view text, std::string file, const KnownNames& known) {
  if (is_graph_file(text, file)) return read_graph_file(text, std::move(file));
  const auto document = file.ends_with(".json") ? parse_json(text) : parse_yaml(text);
  if (!document) return fail(document.error().code, fmt::format("{}:{}", file, document.error().text));
  if (is_trace(*document)) return read_trace(*document, std::move(file));
  return read_job(*document, std::move(file), known);
}

void check_limits(const Plan& plan, Diagnostics& diagnostics) {
  for (const PlannedTask& task : plan.tasks)
    if (const std::string flaw = flaw_of(task.spec, task.needs.size()); !flaw.empty())
      diagnostics.add(task.place, fmt::format("task {}: {}", quoted(task.spec.name), flaw), "");
}

bool check_cycles(const Plan& plan, Diagnostics& diagnostics) {
  std::vector<PlannedTask> tasks = plan.tasks;
  for (int told = 0; told < max_cycles_told; ++told) {
    const auto cycle = graph_of(tasks).cycle();
    if (!cycle) return told == 0;
    std::string words;
    for (const TaskId id : *cycle) {
      if (!words.empty()) words += " needs ";
      words += quoted(tasks[position(id)].spec.name);
    }
    PlannedTask& first = tasks[position(cycle->front())];
    diagnostics.add(first.place, "a cycle: " + words, "remove one of these needs");
    // Without this edge the next search finds the next cycle.
    const std::size_t second = position((*cycle)[1]);
    std::erase_if(first.needs, [&](const PlannedNeed& need) { return need.task == second; });
  }
  return false;
}

TaskGraph graph_of(const std::vector<PlannedTask>& tasks, const std::vector<Micros>& weights) {
  std::vector<TaskGraph::Node> nodes;
  std::vector<TaskGraph::Edge> edges;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    nodes.push_back({vertex(i), weights[i], {}, {}});
    for (const PlannedNeed& need : tasks[i].needs) edges.push_back({vertex(i), vertex(need.task)});
  }
  return TaskGraph(nodes, edges);
}

std::vector<std::size_t> needs_first(const Plan& plan) {
  std::vector<std::size_t> order;
  for (const TaskId id : graph_of(plan.tasks).topological_order()) order.push_back(position(id));
  return order;
}

void measure(Plan& plan) {
  plan.total_work = plan.critical_path = 0;
  for (const PlannedTask& task : plan.tasks) plan.total_work += task.spec.size;
  const TaskGraph graph = graph_of(plan.tasks);
  for (const TaskId id : graph.critical_path()) plan.critical_path += plan.tasks[position(id)].spec.size;
}

}  // namespace bidboard
