#include "tests/support/needless_waits.hpp"

#include <algorithm>
#include <array>

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"
#include "runtime/core/breakers.hpp"

namespace bidboard::testing {
namespace {

bool may_rest(const Board& board, const Agent& agent) {
  return std::ranges::any_of(std::array{agent.profile.account, own_breaker(agent.profile.name)},
                             [&](const std::string& name) {
                               const Breaker* breaker = board.breaker(name);
                               return breaker && breaker->state != BreakerState::closed;
                             });
}

bool has_budget(const Board& board, const Agent& agent) {
  return std::ranges::any_of(scopes_of(agent.profile), [&](const std::string& scope) {
    return bound_of(board.config(), scope) != Amount{};
  });
}

bool has_room(const Board& board, const Task& task, WallTime now) {
  const Config& config = board.config();
  const Micros own = task.spec.budget + board.spending(task_scope(task.id)).raised.money;
  if (task.spec.budget > 0 && task.spent >= own) return false;
  const Amount more = mean_of(board.spending(kind_scope(task.spec.kind)), config.estimate);
  return std::ranges::all_of(scopes_of(task.spec, now), [&](const std::string& scope) {
    const Spending spending = board.spending(scope);
    return fits(spending.spent, more, limit_of(config, spending));
  });
}

}  // namespace

std::vector<std::string> idle_agents(const Board& board, const std::set<AgentId>& connected) {
  std::vector<std::string> found;
  const std::string& strategy = board.config().strategy;
  if (strategy != "fifo" && strategy != "central" && strategy != "random") return found;
  for (const TaskId id : board.tasks_under(std::string(1, keys::ready_letter))) {
    const Task& task = *board.task(id);
    if (task.spec.budget > 0) continue;
    for (const AgentId agent_id : connected) {
      const Agent& agent = *board.agent(agent_id);
      const bool failed_it = std::ranges::any_of(
          task.failures, [&](const AttemptFailure& failure) { return failure.agent == agent_id; });
      const bool free = board.holding_count(agent_id) < agent.profile.capacity;
      if (agent.state != AgentState::live || failed_it || !free) continue;
      if (may_rest(board, agent) || has_budget(board, agent)) continue;
      if (!ineligible(task, agent))
        found.push_back(fmt::format("{} waits while {} is free, under {}", id, agent_id, strategy));
    }
  }
  return found;
}

std::vector<std::string> needless_holds(const Board& board, WallTime now) {
  std::vector<std::string> found;
  std::vector<TaskId> held;
  for (const TaskId id : board.open_tasks()) {
    const Task& task = *board.task(id);
    if (is_held(task.state)) return {};
    if (hold_of(task, HoldKind::budget) && has_room(board, task, now)) held.push_back(id);
  }
  for (const TaskId id : held) found.push_back(fmt::format("{} is held although its budgets have room", id));
  return found;
}

}  // namespace bidboard::testing
