#include "runtime/core/editing.hpp"

#include <algorithm>

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/task_edit.hpp"
#include "blackboard/task_limits.hpp"
#include "runtime/core/needs.hpp"
#include "runtime/core/posting.hpp"
#include "runtime/core/tasks.hpp"

namespace bidboard {
namespace {

/// What the request changes of the task as it is.
TaskEdit wanted(const Edit& request, const TaskSpec& spec) {
  TaskEdit change = request.change;
  if (change.needs) put_in_order(*change.needs);
  if (!request.add_labels.empty() || !request.remove_labels.empty()) {
    std::vector<std::string> labels = change.labels ? *change.labels : spec.labels;
    labels.insert(labels.end(), request.add_labels.begin(), request.add_labels.end());
    std::erase_if(labels, [&](const std::string& label) {
      return std::ranges::find(request.remove_labels, label) != request.remove_labels.end();
    });
    change.labels = std::move(labels);
  }
  if (change.labels) put_in_order(*change.labels);
  return without_unchanged(std::move(change), spec);
}

/// What the agent that holds the task works by; empty: the edit changes nothing of it.
std::string_view worked_by(const TaskEdit& change) {
  if (change.body) return "body";
  if (change.skills) return "skills";
  if (change.needs) return "needs";
  if (change.timeout) return "timeout";
  return {};
}

/// Errors: conflict.
Result<void> check_in_time(const Core& core, const Task& task, const TaskEdit& change) {
  const std::string_view what = worked_by(change);
  if (is_over(task.state) && changes_work(change))
    return fail(Errc::conflict, fmt::format("{0} is {1}: only the labels of an ended task can change; {2}",
                                            task.id, task.state,
                                            after(task.state, Move::reopen)
                                                ? fmt::format("`bidboard retry {}` starts it over", task.id)
                                                : "post a new task for what is left to do"));
  if (is_held(task.state) && !what.empty()) {
    const Agent* holder = core.board.agent(task.holder);
    return fail(
        Errc::conflict,
        fmt::format("{0} is held by {1}, who works by its {2}: wait until the attempt has ended, or take "
                    "the task away first with `bidboard reassign {0} anyone`",
                    task.id, holder ? holder->profile.name : "an agent", what));
  }
  if (task.state == TaskState::waiting && change.needs)
    return fail(Errc::conflict,
                fmt::format("{0} is waiting: a person must say how its attempt ended (done, fail or retry) "
                            "before its needs can change",
                            task.id));
  return {};
}

/// A reservation for an agent that may not take the task any more would keep it from everybody.
void drop_vain_reservation(Core& core, TaskId id) {
  const Task& task = *core.board.task(id);
  const Agent* wanted = task.reserved_for ? core.board.agent(task.reserved_for) : nullptr;
  if (wanted && ineligible(task, *wanted)) core.emit(TaskReserved{id, {}, {}});
}

/// `now` is in order.
std::vector<TaskId> dropped_needs(const std::vector<Need>& before, const std::vector<Need>& now) {
  std::vector<TaskId> dropped;
  for (const Need& need : before)
    if (!std::ranges::binary_search(now, need.task, {}, &Need::task)) dropped.push_back(need.task);
  return dropped;
}

}  // namespace

Result<Edited> edit_task(Core& core, const Actor& actor, const Edit& request) {
  const Task* found = core.board.task(request.task);
  if (!found)
    return fail(Errc::not_found, fmt::format("no task {}; `bidboard tasks` lists them", request.task));
  const Task task = *found;
  const TaskEdit change = wanted(request, task.spec);
  if (change == TaskEdit{}) return Edited{task.id, task.state, {}};
  if (const Result<void> ok = check_in_time(core, task, change); !ok) return fail(ok.error());
  TaskSpec spec = task.spec;
  apply(change, spec);
  if (const Result<void> ok = check_spec(spec); !ok) return fail(ok.error());
  if (change.needs) {
    if (const Result<void> ok = check_needs_exist(core.board, spec); !ok) return fail(ok.error());
    if (const Result<void> ok = check_no_cycle(core, task.id, spec.needs); !ok) return fail(ok.error());
  }
  if (change.body)
    if (const Result<void> room = check_room(core.board, "longer tasks"); !room) return fail(room.error());

  std::vector<FieldChange> changes = told(change, task.spec);
  core.emit(TaskEdited{task.id, actor.agent, change, in_words(changes)});
  if (change.skills) drop_vain_reservation(core, task.id);
  if (change.needs) follow_needs(core, task.id, dropped_needs(task.spec.needs, spec.needs));
  const TaskState state = core.board.task(task.id)->state;
  if (state == TaskState::offered && changes_work(change))
    core.emit(TaskMoved{task.id, *after(state, Move::withdraw), {}});
  return Edited{task.id, core.board.task(task.id)->state, std::move(changes)};
}

}  // namespace bidboard
