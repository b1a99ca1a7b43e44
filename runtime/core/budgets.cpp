#include "runtime/core/budgets.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/spending.hpp"
#include "blackboard/task_states.hpp"
#include "runtime/core/award.hpp"
#include "runtime/core/core.hpp"
#include "runtime/core/winding_up.hpp"

namespace bidboard {
namespace {

/// The share of a budget from which people are warned.
constexpr Micros warned_share = 800'000;
/// The scope of a task's own budget begins with it.
constexpr std::string_view of_task = "task:";

Amount operator-(const Amount& a, const Amount& b) { return {a.money - b.money, a.tokens - b.tokens}; }

/// Attempts that run over midnight are charged to the day on which they end.
std::string reserved_as(std::string_view scope) { return std::string(budgeted_scope(scope)); }

Amount reserved_in(const Core& core, const std::string& scope) {
  const auto found = core.budgets.reserved_in.find(reserved_as(scope));
  return found == core.budgets.reserved_in.end() ? Amount{} : found->second;
}

Amount estimate(const Core& core, const Task& task) {
  return mean_of(core.board.spending(kind_scope(task.spec.kind)), core.board.config().estimate);
}

bool has_room_for(const Core& core, const std::string& scope, const Amount& more) {
  const Spending spending = core.board.spending(scope);
  return fits(spending.spent + reserved_in(core, scope), more, limit_of(core.board.config(), spending));
}

/// A task has a bound of its own, on what all its attempts cost together.
bool used_up(const Core& core, const Task& task) {
  if (task.spec.budget <= 0 || task.spent <= 0) return false;
  return !fits({task.spent, 0}, {},
               {task.spec.budget + core.board.spending(task_scope(task.id)).raised.money, 0});
}

Hold hold_for(const Core& core, const std::string& scope, const Amount& more) {
  const Spending spending = core.board.spending(scope);
  const Amount limit = limit_of(core.board.config(), spending);
  std::string why = fmt::format("of {}, which may spend {}, {} is spent", scope, in_words(limit),
                                in_words(spending.spent, limit));
  if (const Amount reserved = reserved_in(core, scope); reserved != Amount{})
    why += fmt::format(", attempts under way are expected to cost {}", in_words(reserved, limit));
  if (more != Amount{}) why += fmt::format(", this one {}", in_words(more, limit));
  const bool ends = scope != budgeted_scope(scope);
  return {HoldKind::budget, ends ? end_of_day(core.now.wall) : WallTime{},
          fmt::format("{}; {}", why, raise_hint(scope, limit))};
}

void reserve(Core& core, const Held& attempt, const AgentProfile& agent) {
  const Task& task = *core.board.task(attempt.task);
  if (core.board.config().budgets.empty() || task.shell_claim) return;
  Budgets::Reservation reservation{scopes_of(task.spec, core.now.wall), estimate(core, task)};
  for (std::string& scope : scopes_of(agent)) reservation.scopes.push_back(std::move(scope));
  for (const std::string& scope : reservation.scopes) {
    Amount& sum = core.budgets.reserved_in[reserved_as(scope)];
    sum = sum + reservation.amount;
  }
  core.budgets.reserved[attempt] = std::move(reservation);
}

/// Those that wait for the scope, in the order in which they would be awarded; holds that stand only in the
/// way of what is paused, blocked or over are lifted: such a task is judged anew when it could be awarded.
std::vector<TaskId> waiting_for(Core& core, const std::set<TaskId>& held) {
  std::vector<std::pair<std::string, TaskId>> in_order;
  std::vector<TaskId> others;
  for (const TaskId id : held) {
    const Task* task = core.board.task(id);
    if (!task || !hold_of(*task, HoldKind::budget)) continue;
    if (after(task->state, Move::award))
      in_order.emplace_back(keys::ready(*task), id);
    else
      others.push_back(id);
  }
  std::ranges::sort(in_order);
  for (const TaskId id : others) core.emit(HoldLifted{id, HoldKind::budget});
  std::vector<TaskId> ids;
  for (const auto& [key, id] : in_order) ids.push_back(id);
  return ids;
}

/// Lifts the holds of tasks whose expected costs fit: together, or each on its own. Remembers whom, since one
/// that is not awarded then does not use the room (free_more()).
void free_waiting(Core& core, const std::string& scope, bool together = true) {
  const auto found = core.budgets.held.find(scope);
  if (found == core.budgets.held.end() || !has_room_for(core, scope, {})) return;
  Amount freed;
  for (const TaskId id : waiting_for(core, std::set<TaskId>(found->second))) {
    const Amount more = estimate(core, *core.board.task(id));
    if (!has_room_for(core, scope, freed + more)) continue;
    if (together)
      freed = freed + Amount{std::max<Micros>(more.money, 1), std::max<std::int64_t>(more.tokens, 1)};
    core.budgets.freed.insert(id);
    core.emit(HoldLifted{id, HoldKind::budget});
  }
}

/// Says once that a bound is nearly, and once that it is, reached.
void warn(Core& core, const std::string& scope, const Amount& charged) {
  const Spending spending = core.board.spending(scope);
  const Amount limit = limit_of(core.board.config(), spending);
  const Amount before = spending.spent - charged;
  const auto passes = [&](Micros share) {
    const auto one_passes = [&](std::int64_t from, std::int64_t to, std::int64_t bound) {
      const std::int64_t mark = mul_micros(bound, share);
      return bound > 0 && from < mark && to >= mark;
    };
    return one_passes(before.money, spending.spent.money, limit.money) ||
           one_passes(before.tokens, spending.spent.tokens, limit.tokens);
  };
  for (const Micros share : {one, warned_share})
    if (passes(share))
      return core.note(
          Note::Level::warning,
          fmt::format("the budget of {} is {}: {} of {}; {}", scope, share == one ? "spent" : "nearly spent",
                      in_words(spending.spent), in_words(limit), raise_hint(scope, limit)));
}

void warn_of_charges(Core& core, TaskId id, AgentId by, const Amount& charged) {
  if (charged == Amount{} || core.board.config().budgets.empty()) return;
  const Agent* agent = core.board.agent(by);
  for (const std::string& scope :
       charged_scopes(core.board.task(id)->spec, agent ? agent->profile : AgentProfile{}, core.now.wall))
    warn(core, scope, charged);
}

/// Not those of single tasks, which have room again only when somebody raises them.
void free_all(Core& core, bool together = true) {
  std::vector<std::string> scopes;
  for (const auto& [scope, waiting] : core.budgets.held)
    if (!waiting.empty() && !scope.starts_with(of_task)) scopes.push_back(scope);
  for (const std::string& scope : scopes) free_waiting(core, scope, together);
}

bool somebody_is_free(const Core& core) {
  return std::ranges::any_of(core.sessions, [&](const auto& entry) {
    const Agent* agent = core.board.agent(entry.first);
    return agent && has_free_slot(core, *agent) && !unfit(core, agent->profile);
  });
}

/// What an attempt has cost changes what others of its kind are expected to, under whatever budget they wait.
void look_for_room(Core& core) {
  free_all(core);
  core.wake();  // an agent that was busy for its account's budget
}

}  // namespace

Amount expected_cost(const Core& core, const Task& task) {
  return core.board.config().budgets.empty() ? Amount{} : estimate(core, task);
}

void release_reservation(Core& core, const Held& attempt) {
  const auto found = core.budgets.reserved.find(attempt);
  if (found == core.budgets.reserved.end()) return;
  const Budgets::Reservation over = std::move(found->second);
  core.budgets.reserved.erase(found);
  for (const std::string& scope : over.scopes) {
    const auto sum = core.budgets.reserved_in.find(reserved_as(scope));
    if (sum == core.budgets.reserved_in.end()) continue;
    sum->second = sum->second - over.amount;
    if (sum->second == Amount{}) core.budgets.reserved_in.erase(sum);
  }
  look_for_room(core);
}

std::optional<Hold> budget_hold(Core& core, const Task& task) {
  if (used_up(core, task)) {
    core.budgets.held[task_scope(task.id)].insert(task.id);
    return Hold{HoldKind::budget,
                {},
                fmt::format("of the task itself: its attempts have cost {}, it may cost {}; {}",
                            format_micros(task.spent), format_micros(task.spec.budget),
                            raise_hint(task_scope(task.id), {task.spec.budget, 0}))};
  }
  if (core.board.config().budgets.empty()) return {};
  const Amount more = estimate(core, task);
  for (const std::string& scope : scopes_of(task.spec, core.now.wall)) {
    if (has_room_for(core, scope, more)) continue;
    core.budgets.held[scope].insert(task.id);
    return hold_for(core, scope, more);
  }
  return {};
}

std::optional<Refusal> beyond_budget(const Core& core, const AgentProfile& agent) {
  if (core.board.config().budgets.empty()) return {};
  for (const std::string& scope : scopes_of(agent)) {
    std::string why = exhausted(core.board.config(), core.board.spending(scope));
    if (!why.empty()) return Refusal{RefusalReason::budget, std::move(why)};
  }
  return {};
}

bool within_budget(const Core& core, const AgentProfile& agent) {
  if (core.board.config().budgets.empty()) return true;
  return std::ranges::all_of(scopes_of(agent), [&](const std::string& scope) {
    return has_room_for(core, scope, mean_of(core.board.spending(scope), core.board.config().estimate));
  });
}

Micros budget_left(const Core& core, const Task& task, const AgentProfile& agent) {
  Micros least = 0;
  const auto bound = [&](Micros limit, Micros spent) {
    if (limit <= 0) return;
    const Micros left = std::max<Micros>(limit - spent, 1);
    least = least == 0 ? left : std::min(least, left);
  };
  bound(task.spec.budget > 0 ? task.spec.budget + core.board.spending(task_scope(task.id)).raised.money : 0,
        task.spent);
  if (core.board.config().budgets.empty()) return least;
  const auto own = core.budgets.reserved.find({task.id, task.epoch});
  const Micros reserved_here = own == core.budgets.reserved.end() ? 0 : own->second.amount.money;
  std::vector<std::string> scopes = scopes_of(task.spec, core.now.wall);
  for (std::string& scope : scopes_of(agent)) scopes.push_back(std::move(scope));
  for (const std::string& scope : scopes) {
    const Spending spending = core.board.spending(scope);
    bound(limit_of(core.board.config(), spending).money,
          spending.spent.money + reserved_in(core, scope).money - reserved_here);
  }
  return least;
}

void count_for_budgets(Core& core, const Change& change) {
  const EventBody& body = change.event->body;
  const Task* task = change.before ? core.board.task(change.task) : nullptr;
  if (task && is_held(change.before->state) && !is_held(task->state) &&
      !is_open(core, change.before->holder, {task->id, task->epoch}))
    release_reservation(core, {task->id, task->epoch});
  if (const auto* awarded = std::get_if<TaskAwarded>(&body)) {
    reserve(core, {awarded->task, awarded->epoch}, core.board.agent(awarded->agent)->profile);
  } else if (const auto* ended = std::get_if<AttemptEnded>(&body)) {
    warn_of_charges(core, ended->task, ended->agent, {ended->price, ended->tokens});
  } else if (const auto* finished = std::get_if<TaskFinished>(&body)) {
    warn_of_charges(core, finished->task, finished->agent, {finished->price, finished->tokens});
  } else if (const auto* settled = std::get_if<AttemptSettled>(&body)) {
    warn_of_charges(core, settled->task, settled->agent,
                    Amount{task->spent, task->spent_tokens} - change.before->spent);
    look_for_room(core);
  } else if (const auto* lifted = std::get_if<HoldLifted>(&body)) {
    for (auto& [scope, waiting] : core.budgets.held) waiting.erase(lifted->task);
  } else if (const auto* raised = std::get_if<BudgetRaised>(&body)) {
    free_waiting(core, raised->scope);
    core.wake();
  } else if (std::holds_alternative<ConfigSet>(body)) {
    free_all(core);
  }
}

/// What is raised must be bounded: else nothing would come of it.
Result<Nothing> check_units(const std::string& scope, const Amount& by, const Amount& bound) {
  if (by.money > 0 && bound.money == 0)
    return fail(Errc::invalid, fmt::format("{} has no budget of money, only of tokens: --tokens N", scope));
  if (by.tokens > 0 && bound.tokens == 0)
    return fail(Errc::invalid, fmt::format("{} has no budget of tokens, only of money: AMOUNT", scope));
  return Nothing{};
}

Result<Nothing> raise_budget(Core& core, const RaiseBudget& request) {
  if (request.by.money < 0 || request.by.tokens < 0 || request.by == Amount{})
    return fail(Errc::invalid, "a budget is raised by an amount above zero");
  std::string scope = request.scope == "day" ? day_scope(core.now.wall) : request.scope;
  if (scope.starts_with(of_task)) {
    const auto id = parse_id<TaskId>(scope.substr(of_task.size()));
    const Task* task = id ? core.board.task(*id) : nullptr;
    if (!task) return fail(Errc::not_found, fmt::format("there is no task {}", scope.substr(of_task.size())));
    if (task->spec.budget <= 0) return fail(Errc::not_found, fmt::format("{} has no budget", task->id));
    if (auto fine = check_units(scope, request.by, {task->spec.budget, 0}); !fine) return fine;
  } else if (const std::string flaw = flaw_of_scope(request.scope); !flaw.empty()) {
    return fail(Errc::invalid, flaw);
  } else if (const Amount bound = bound_of(core.board.config(), scope); bound == Amount{}) {
    return fail(Errc::not_found,
                fmt::format("{} has no budget; `budgets:` in bidboard.yaml sets one", request.scope));
  } else if (auto fine = check_units(request.scope, request.by, bound); !fine) {
    return fine;
  }
  core.emit(BudgetRaised{std::move(scope), request.by});
  return Nothing{};
}

bool free_more(Core& core) {
  std::set<TaskId>& freed = core.budgets.freed;
  bool is_offered = false;
  std::erase_if(freed, [&](TaskId id) {
    const Task* task = core.board.task(id);
    is_offered = is_offered || (task && task->state == TaskState::offered);
    return !task || is_held(task->state);
  });
  if (freed.empty() || is_offered || !somebody_is_free(core)) return false;
  freed.clear();
  free_all(core, false);
  const bool lifted = !freed.empty();
  freed.clear();
  return lifted;
}

void act_on_budgets(Core& core) {
  if (std::exchange(core.budgets.unsure, false)) free_all(core);
}

void expect_spending(Core& core) {
  core.budgets = {};
  for (const auto& [id, session] : core.sessions)
    if (const Agent* agent = core.board.agent(id))
      for (const TaskId task : core.board.holdings(id))
        reserve(core, {task, core.board.task(task)->epoch}, agent->profile);
  for (const auto& [id, attempts] : core.winding_up)
    if (const Agent* agent = core.board.agent(id))
      for (const auto& [attempt, how] : attempts) reserve(core, attempt, agent->profile);
  const bool may_hold = !core.board.config().budgets.empty() || core.board.spending("board").attempts > 0;
  if (!may_hold) return;
  for (const TaskId id : core.board.open_tasks()) {
    const Task* task = core.board.task(id);
    if (!task || !hold_of(*task, HoldKind::budget) || budget_hold(core, *task)) continue;
    core.budgets.held["board"].insert(id);
    core.budgets.unsure = true;
  }
}

}  // namespace bidboard
