#include "runtime/core/needs.hpp"

#include <algorithm>
#include <map>

#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"
#include "runtime/core/posting.hpp"
#include "runtime/core/tasks.hpp"

namespace bidboard {

Result<void> check_no_cycle(const Core& core, TaskId task, const std::vector<Need>& needs) {
  // A cycle would close if one of the needs already depends on this task, directly or indirectly.
  std::map<TaskId, TaskId> waits_because;
  std::vector<TaskId> work;
  for (const Need& need : needs)
    if (waits_because.try_emplace(need.task).second) work.push_back(need.task);
  while (!work.empty()) {
    const TaskId at = work.back();
    work.pop_back();
    if (at == task) {
      std::vector<TaskId> cycle{task};
      for (TaskId step = waits_because.at(at); step; step = waits_because.at(step))
        cycle.insert(cycle.begin(), step);
      cycle.insert(cycle.begin(), task);
      return fail(Errc::invalid, "that would close a dependency cycle: " + spelled_out(cycle));
    }
    for (const Need& need : core.board.task(at)->spec.needs)
      if (waits_because.try_emplace(need.task, at).second) work.push_back(need.task);
  }
  return {};
}

void follow_needs(Core& core, TaskId id, const std::vector<TaskId>& dropped) {
  const Task& task = *core.board.task(id);
  const Task* failed = failed_need(core.board, task);
  if (failed && after(task.state, Move::need_failed))
    core.emit(TaskMoved{id, TaskState::skipped, fmt::format("{} is {}", failed->id, failed->state)});
  else if (const auto blocked = after(task.state, Move::need_added);
           blocked && has_open_needs(core.board, task))
    core.emit(TaskMoved{id, *blocked, {}});
  else if (const auto ready = after(task.state, Move::needs_met); ready && task.open_needs == 0)
    core.emit(TaskMoved{id, *ready, {}});
  raise_levels_above(core, id);
  lower_levels(core, dropped);
}

Result<Changed> change_need(Core& core, const Depend& request) {
  const Task* found = core.board.task(request.task);
  if (!found) return fail(Errc::not_found, fmt::format("no task {}", request.task));
  const Task* needed = core.board.task(request.need.task);
  if (!needed) return fail(Errc::not_found, fmt::format("no task {}", request.need.task));
  const Task task = *found;
  const auto standing = std::ranges::find(task.spec.needs, request.need.task, &Need::task);
  const bool stands = standing != task.spec.needs.end();
  if (is_held(task.state) || is_over(task.state) || task.state == TaskState::waiting)
    return fail(Errc::conflict,
                fmt::format("{} is {}; needs can change only before it is awarded", task.id, task.state));
  if (request.remove) {
    if (!stands)
      return fail(Errc::not_found,
                  fmt::format("there is no dependency between {} and {}", task.id, needed->id));
    core.emit(NeedRemoved{task.id, request.need.task});
    follow_needs(core, task.id, {request.need.task});
    return Changed{task.id, core.board.task(task.id)->state, task.epoch};
  }
  if (stands && standing->any == request.need.any) return Changed{task.id, task.state, task.epoch};
  if (!stands && task.spec.needs.size() >= max_needs)
    return fail(Errc::conflict, fmt::format("{} needs 10000 tasks already", task.id));
  if (const Result<void> ok = check_no_cycle(core, task.id, {request.need}); !ok) return fail(ok.error());
  if (stands) core.emit(NeedRemoved{task.id, request.need.task});
  core.emit(NeedAdded{task.id, request.need});
  follow_needs(core, task.id, {});
  return Changed{task.id, core.board.task(task.id)->state, task.epoch};
}

}  // namespace bidboard
