#include "runtime/core/tasks.hpp"

#include <algorithm>

#include "auction/eligibility.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/core/winding_up.hpp"

namespace bidboard {
namespace {

/// Until when the task waits after an attempt that ended like this; 0: not at all.
WallTime back_off(const Core& core, const Task& task, const AttemptEnd& end) {
  const Duration base = core.board.config().backoff;
  std::ptrdiff_t earlier = 0;  // earlier attempts that ended the same way; the wait doubles with each
  if (end.declined)
    earlier = std::count_if(task.failures.begin(), task.failures.end(),
                            [&](const AttemptFailure& failure) { return failure.agent == task.holder; });
  else if (end.counts && (!end.died || task.deaths > 0))  // the first death says little about the task
    earlier = task.attempts - std::min(task.attempts, 1u);
  else
    return {};
  if (base.us == 0) return {};
  return core.now.wall + base * (std::int64_t{1} << std::min<std::ptrdiff_t>(earlier, 10));
}

/// When work that took so long began: not before its award, and not after the controller heard of it. 0: not
/// known.
WallTime began(const Core& core, const Task& task, Micros seconds) {
  if (seconds <= 0) return {};
  const WallTime latest = task.started_at.us != 0 ? task.started_at : core.now.wall;
  return std::max(std::min(core.now.wall - Duration{seconds}, latest), task.awarded_at);
}

}  // namespace

void end_attempt(Core& core, TaskId id, const AttemptEnd& end) {
  const Task task = *core.board.task(id);
  BB_CHECK(is_held(task.state), "only a held task has a live attempt");
  const bool last = end.counts && task.attempts >= task.spec.attempts;
  AttemptEnded event;
  event.task = id;
  event.epoch = task.epoch;
  event.agent = task.holder;
  event.reason = end.reason;
  event.died = end.died;
  event.counts = end.counts;
  event.began = began(core, task, end.seconds);
  event.outage = end.outage;
  event.outage_until = end.until;
  const bool begun = task.state == TaskState::running;
  const bool is_untold = end.agent_gone && begun && !task.shell_claim;
  const Amount cost = is_untold ? expected_cost(core, task) : Amount{end.price, end.tokens};
  event.price = cost.money;
  event.tokens = cost.tokens;
  if (!task.spec.repeatable && (end.outcome_unknown || end.died) && begun) {
    event.to = *after(task.state, Move::ask_person);
    event.reason += "; it may not be repeated, so a person must say how it ended (done, fail or retry)";
  } else if (last) {
    event.to = *after(task.state, end.died ? Move::quarantine : Move::give_up);
    event.reason += fmt::format(" (attempt {} of {})", task.attempts, task.spec.attempts);
  } else {
    event.not_before = back_off(core, task, end);
  }
  core.emit(std::move(event));
  if (core.board.task(id)->state == TaskState::ready && task.reserved_for && end.died)
    core.emit(TaskReserved{id, {}, {}});  // the agent that it was reserved for is gone
}

void save_work(Core& core, const Task& task, Epoch epoch, const SavedWork& work) {
  if (!is_plausible(work) || (work.commit == task.commit && work.branch == task.branch)) return;
  core.emit(WorkSaved{task.id, epoch, work});
}

void finish_task(Core& core, const Task& task, AgentId agent, const Delivered& delivered) {
  const std::string_view result = delivered.result;
  TaskFinished event{task.id, task.epoch, agent, {}, {}, delivered.price, delivered.tokens, {}};
  event.began = began(core, task, delivered.seconds);
  if (result.size() <= inline_result_bytes) {
    event.result = result;
  } else {
    event.result_blob = content_hash(result);
    core.board.stage_blob(event.result_blob, result);
  }
  // First: what follows from the result may begin with this work.
  save_work(core, task, task.epoch, delivered.work);
  core.emit(std::move(event));
}

const Task* failed_need(const Board& board, const Task& task) {
  for (const Need& need : task.spec.needs) {
    const Task* needed = board.task(need.task);
    if (needed && is_over(needed->state) && needed->state != TaskState::done && !need.any) return needed;
  }
  return nullptr;
}

bool has_open_needs(const Board& board, const Task& task) {
  return std::any_of(task.spec.needs.begin(), task.spec.needs.end(), [&](const Need& need) {
    const Task* needed = board.task(need.task);
    return needed && !is_over(needed->state);
  });
}

void withdraw_offers(Core& core) {
  for (const TaskId id : core.board.tasks_under(std::string(1, keys::ready_letter)))
    if (core.board.task(id)->state == TaskState::offered)
      core.emit(TaskMoved{id, *after(TaskState::offered, Move::withdraw), {}});
}

namespace {

Result<Move> move_of(const Core& core, const Task& task, Direction what) {
  switch (what) {
    case Direction::cancel:
      return Move::cancel;
    case Direction::pause:
      return Move::pause;
    case Direction::resume:
      return has_open_needs(core.board, task) ? Move::resume_blocked : Move::resume;
    case Direction::retry:
      break;
  }
  if (const Task* failed = failed_need(core.board, task))
    return fail(Errc::conflict, fmt::format("{} needs {}, which is {}; retry that one first", task.id,
                                            failed->id, failed->state));
  return has_open_needs(core.board, task) ? Move::reopen_blocked : Move::reopen;
}

}  // namespace

Result<Changed> direct_task(Core& core, const Direct& request) {
  const Task* found = core.board.task(request.task);
  if (!found) return fail(Errc::not_found, fmt::format("no task {}", request.task));
  const Task task = *found;
  constexpr std::array<std::string_view, 4> words{"cancelled", "retried", "paused", "resumed"};
  const Result<Move> move = move_of(core, task, request.what);
  if (!move) return fail(move.error());
  const std::optional<TaskState> to = after(task.state, *move);
  if (!to)
    return fail(Errc::conflict, fmt::format("{} is {} and cannot be {}", task.id, task.state,
                                            words[static_cast<std::size_t>(request.what)]));
  if (request.what == Direction::retry) {
    core.emit(TaskReopened{task.id, *to, request.reason});
  } else {
    if (is_held(task.state))
      revoke(core, task, request.reason.empty() ? "cancelled" : "cancelled: " + request.reason);
    core.emit(TaskMoved{task.id, *to, request.reason});
  }
  return Changed{task.id, core.board.task(task.id)->state, task.epoch};
}

Result<Changed> reassign_task(Core& core, const Reassign& request) {
  const Task* found = core.board.task(request.task);
  if (!found) return fail(Errc::not_found, fmt::format("no task {}", request.task));
  const Task task = *found;
  if (is_over(task.state))
    return fail(Errc::conflict, fmt::format("{} is {}; retry it first", task.id, task.state));
  AgentId agent;
  if (!request.agent.empty()) {
    const auto known = core.board.agent_named(request.agent);
    if (!known) return fail(Errc::not_found, fmt::format("no agent called '{}'", request.agent));
    agent = *known;
    const Agent& wanted = *core.board.agent(agent);
    Task unreserved = task;
    unreserved.reserved_for = {};
    if (wanted.state == AgentState::gone)
      return fail(Errc::conflict, fmt::format("agent '{}' is gone ({})", request.agent, wanted.reason));
    if (const auto against = ineligible(unreserved, wanted))
      return fail(Errc::refused,
                  fmt::format("agent '{}' may not take {}: {}", request.agent, task.id, against->detail));
  }
  if (is_held(task.state) && agent && task.holder == agent)
    return Changed{task.id, task.state,
                   task.epoch};  // the agent already holds the task, or it is already reserved for it
  if (is_held(task.state)) {
    revoke(core, task, "reassigned");
    end_attempt(core, task.id,
                {.reason = "reassigned by an operator", .outcome_unknown = true, .counts = false});
  }
  core.coordinator->task_closed(core, task.id, Closed::withdrawn);  // who may take it has changed
  core.emit(TaskReserved{task.id, agent, {}});
  return Changed{task.id, core.board.task(task.id)->state, task.epoch};
}

}  // namespace bidboard
