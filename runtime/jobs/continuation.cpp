#include "runtime/jobs/continuation.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "blackboard/task_states.hpp"

namespace bidboard {
namespace {

/// What the file says of a task, as far as the controller does not fill it in.
TaskSpec as_written(TaskSpec spec, const std::string& project) {
  spec.needs.clear();
  spec.parent = {};
  spec.workflow = {};
  spec.exclusive = false;  // depends on who runs the job
  spec.labels.clear();     // say nothing of the work
  if (spec.project.empty()) spec.project = project;
  return spec;
}

using NamedNeeds = std::set<std::pair<std::string, bool>>;

NamedNeeds needs_of(const Plan& plan, const PlannedTask& task) {
  NamedNeeds needs;
  for (const PlannedNeed& need : task.needs) needs.emplace(plan.tasks[need.task].spec.name, need.any);
  return needs;
}

NamedNeeds needs_of(const std::map<TaskId, const Task*>& tasks, const Task& task) {
  NamedNeeds needs;
  for (const Need& need : task.spec.needs) {
    const auto needed = tasks.find(need.task);
    needs.emplace(needed == tasks.end() ? "" : needed->second->spec.name, need.any);
  }
  return needs;
}

}  // namespace

Continuation continue_from(const Plan& plan, std::size_t tasks_planned, const std::vector<Task>& earlier) {
  std::map<TaskId, const Task*> by_id;
  std::map<std::string, const Task*> by_name;  // the youngest: it replaced the others
  for (const Task& task : earlier) {
    if (task.spec.parent) continue;
    by_id.emplace(task.id, &task);
    by_name[task.spec.name] = &task;
  }
  const auto is_changed = [&](const PlannedTask& planned, const Task& task) {
    const std::string& project = task.spec.project;
    // Left to agents that the file names no more, it would wait for ever.
    if (task.spec.exclusive && !planned.spec.exclusive && task.state != TaskState::done) return true;
    return as_written(planned.spec, project) != as_written(task.spec, project) ||
           needs_of(plan, planned) != needs_of(by_id, task);
  };
  Continuation out;
  out.ids.resize(plan.tasks.size());
  std::set<std::string> names;
  for (const PlannedTask& planned : plan.tasks) names.insert(planned.spec.name);
  out.complete = by_name.size() >= tasks_planned && std::ranges::all_of(by_name, [&](const auto& entry) {
                   const TaskState state = entry.second->state;
                   return state == TaskState::done || (is_over(state) && !names.contains(entry.first));
                 });
  for (const std::size_t i : needs_first(plan)) {
    const PlannedTask& planned = plan.tasks[i];
    const auto known = by_name.find(planned.spec.name);
    const bool waits_for_new =
        std::ranges::any_of(planned.needs, [&](const PlannedNeed& need) { return !out.ids[need.task]; });
    if (known != by_name.end() && !waits_for_new && !is_changed(planned, *known->second))
      out.ids[i] = known->second->id;
  }
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const PlannedTask& planned = plan.tasks[i];
    const auto known = by_name.extract(planned.spec.name);
    if (known.empty()) {
      out.added.push_back(planned.spec.name);
      continue;
    }
    const Task& task = *known.mapped();
    if (!out.ids[i] && is_changed(planned, task)) out.changed.push_back(planned.spec.name);
    if (!out.ids[i] && !is_over(task.state)) out.cancel.push_back(task.id);
    const bool ended_badly =
        is_over(task.state) && task.state != TaskState::done && task.state != TaskState::skipped;
    if (out.ids[i] && ended_badly) out.retry.push_back(task.id);
    if (out.ids[i] && task.state == TaskState::done) out.done.insert(task.id);
  }
  for (const auto& [name, task] : by_name) {
    out.removed.push_back(name);
    if (!is_over(task->state)) out.cancel.push_back(task->id);
  }
  return out;
}

}  // namespace bidboard
