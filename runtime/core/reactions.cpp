#include "runtime/core/reactions.hpp"

#include <algorithm>
#include <array>
#include <ranges>

#include "blackboard/fmt.hpp"
#include "blackboard/task_edit.hpp"
#include "runtime/core/award.hpp"
#include "runtime/core/tasks.hpp"
#include "runtime/core/turns.hpp"

namespace bidboard {
namespace {

template <class T, class... Kinds>
constexpr bool is_one_of = (std::is_same_v<T, Kinds> || ...);

bool may_be_awarded_now(const Core& core, TaskId id) {
  const Task* task = core.board.task(id);
  return task && may_be_awarded(*task);
}

/// The holder's promise ends with the attempt.
void forget_promise(Core& core, const Change& change) {
  if (change.before && is_held(change.before->state) && !is_held(core.board.task(change.task)->state))
    core.promises.erase(change.task);
}

/// State derived from the board; first, since others query the coordinator in between.
void tell_coordinator(Core& core, const Change& change) {
  core.coordinator->on_change(core, change);
  if (const auto* left = std::get_if<AgentLeft>(&change.event->body))
    core.coordinator->agent_gone(core, left->agent);
  if (!change.before || !change.before->awaited_award) return;
  const auto* edited = std::get_if<TaskEdited>(&change.event->body);
  const bool is_another = edited && changes_work(edited->change);  // than the one that agents were told of
  if (std::holds_alternative<TaskAwarded>(change.event->body))
    core.coordinator->task_closed(core, change.task, Closed::awarded);
  else if (is_another || !may_be_awarded_now(core, change.task))
    core.coordinator->task_closed(core, change.task, Closed::withdrawn);
}

/// Makes dependents of a task that has just ended ready, or skips them.
void release_dependents(Core& core, const Change& change) {
  if (!change.before || !change.ended(core.board.task(change.task)->state)) return;
  const Task by = *core.board.task(change.task);
  for (const TaskId id : core.board.tasks_under(keys::dependents_of(by.id))) {
    const Task& task = *core.board.task(id);
    const auto need = std::ranges::find(task.spec.needs, by.id, &Need::task);
    const bool failed = by.state != TaskState::done && need != task.spec.needs.end() && !need->any;
    if (failed && after(task.state, Move::need_failed))
      core.emit(
          TaskMoved{id, *after(task.state, Move::need_failed), fmt::format("{} is {}", by.id, by.state)});
    else if (task.open_needs == 0 && after(task.state, Move::needs_met))
      core.emit(TaskMoved{id, *after(task.state, Move::needs_met), {}});
  }
}

/// Restarts dependents that were skipped because of a task that restarts.
void reopen_dependents(Core& core, const Change& change) {
  const auto* reopened = std::get_if<TaskReopened>(&change.event->body);
  if (!reopened) return;
  const std::vector<TaskId> dependents = core.board.tasks_under(keys::dependents_of(reopened->task));
  for (const TaskId id : std::views::reverse(dependents)) {
    const Task& task = *core.board.task(id);
    if (task.state != TaskState::skipped || failed_need(core.board, task)) continue;
    const Move move = has_open_needs(core.board, task) ? Move::reopen_blocked : Move::reopen;
    core.emit(TaskReopened{id, *after(task.state, move), reopened->reason});
  }
}

/// Every other event may lead to an award.
void wake_coordinator(Core& core, const Change& change) {
  std::visit(
      [&]<class Body>(const Body&) {
        constexpr bool is_upkeep = is_one_of<Body, TermStarted, WorkflowPosted, TaskStarted, TaskProgressed,
                                             TaskRenewed, TaskStalled, AgentSeen, DiscoveryPosted, Replied,
                                             ClientForgotten, RequestRefused, AuctionFailed, CommentPosted>;
        if constexpr (!is_upkeep) core.wake();
      },
      change.event->body);
}

using Reaction = void (*)(Core&, const Change&);
constexpr std::array reactions{Reaction{forget_promise},     Reaction{tell_coordinator},
                               Reaction{count_for_breakers}, Reaction{count_for_budgets},
                               Reaction{count_for_turns},    Reaction{release_dependents},
                               Reaction{reopen_dependents},  Reaction{wake_coordinator}};

}  // namespace

Change change_before(const Core& core, const Event& event) {
  Change change{nullptr, task_of(event), {}};
  if (const Task* task = change.task ? core.board.task(change.task) : nullptr)
    change.before =
        Change::Before{task->state, task->holder, may_be_awarded(*task), {task->spent, task->spent_tokens}};
  return change;
}

void react_to(Core& core, const Change& change) {
  for (const Reaction reaction : reactions) reaction(core, change);
}

}  // namespace bidboard
