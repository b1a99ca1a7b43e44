#include "runtime/core/winding_up.hpp"

#include <algorithm>

#include "blackboard/task_states.hpp"

namespace bidboard {
namespace {

const WindingUp* find(const Core& core, AgentId agent, const Held& held) {
  const auto all = core.winding_up.find(agent);
  if (all == core.winding_up.end()) return nullptr;
  const auto known = all->second.find(held);
  return known == all->second.end() ? nullptr : &known->second;
}

void remember(Core& core, const Task& task, WindingUp attempt) {
  core.winding_up[task.holder][{task.id, task.epoch}] = attempt;
}

void has_ended(Core& core, AgentId agent, const Held& held) {
  const auto all = core.winding_up.find(agent);
  const bool took_slot = all->second.at(held).delivered;
  all->second.erase(held);
  if (all->second.empty()) core.winding_up.erase(all);
  release_reservation(core, held);
  if (!took_slot || !core.sessions.contains(agent)) return;
  core.coordinator->agent_heard(core, agent, true);  // it has a slot more, also where no event says so
  core.wake();
}

/// An attempt that was cut off, and cost something of which nothing was told, is charged what was expected.
Amount cost_of(const Core& core, const Task& task, const WindingUp& attempt, const Delivered& told) {
  const Amount cost{told.price, told.tokens};
  const bool is_untold = cost == Amount{} && attempt.may_cost && !attempt.delivered;
  return is_untold ? expected_cost(core, task) : cost;
}

void charge_cut_off(Core& core, const Task& task, AgentId agent, Epoch epoch, const Delivered& told) {
  const WindingUp* attempt = find(core, agent, {task.id, epoch});
  if (!attempt || attempt->delivered) return;
  const Amount cost = cost_of(core, task, *attempt, told);
  if (cost != Amount{}) core.emit(AttemptSettled{task.id, epoch, agent, cost.money, cost.tokens});
}

}  // namespace

void revoke(Core& core, const Task& task, const std::string& reason, bool may_cost) {
  if (core.sessions.contains(task.holder) && !task.shell_claim)
    remember(core, task, {.delivered = false, .may_cost = may_cost && task.state == TaskState::running});
  core.send(task.holder, Revocations{{Revocation{{task.id, task.epoch}, reason}}});
}

void let_wind_up(Core& core, const Task& task) {
  remember(core, task, {.delivered = true, .may_cost = true});
  core.send(task.holder,
            Revocations{{Revocation{{task.id, task.epoch}, "its result was accepted", wind_up_time}}});
}

bool winds_up(const Core& core, AgentId agent, const Held& held) {
  const WindingUp* attempt = find(core, agent, held);
  return attempt && attempt->delivered;
}

bool is_open(const Core& core, AgentId agent, const Held& held) { return find(core, agent, held); }

std::size_t slots_winding_up(const Core& core, AgentId agent) {
  const auto all = core.winding_up.find(agent);
  if (all == core.winding_up.end()) return 0;
  return static_cast<std::size_t>(
      std::ranges::count_if(all->second, [](const auto& entry) { return entry.second.delivered; }));
}

void settle_attempt(Core& core, const Task& task, AgentId agent, Epoch epoch, const Delivered& told) {
  // Of a result that was accepted the board remembers it: a repeat is known after a restart, too.
  const bool delivered = task.state == TaskState::done && task.holder == agent && task.epoch == epoch;
  if (!delivered) {
    charge_cut_off(core, task, agent, epoch, told);
  } else if (task.settled < epoch) {
    core.emit(AttemptSettled{task.id, epoch, agent, told.price, told.tokens});
    save_work(core, task, epoch, told.work);
  }
  if (is_open(core, agent, {task.id, epoch})) has_ended(core, agent, {task.id, epoch});
}

void forget_lost_ends(Core& core) {
  for (auto& [agent, attempts] : core.winding_up)
    std::erase_if(attempts, [&](const auto& entry) {
      const Task* task = core.board.task(entry.first.task);
      return !task || task->epoch < entry.first.epoch ||
             (task->epoch == entry.first.epoch && is_held(task->state));
    });
  std::erase_if(core.winding_up, [](const auto& entry) { return entry.second.empty(); });
}

void settle_unmentioned(Core& core, AgentId agent, const std::vector<Held>& spoken_of) {
  const auto all = core.winding_up.find(agent);
  if (all == core.winding_up.end()) return;
  for (const auto& [held, attempt] : std::map<Held, WindingUp>(all->second)) {
    if (std::ranges::find(spoken_of, held) != spoken_of.end()) continue;
    charge_cut_off(core, *core.board.task(held.task), agent, held.epoch, {});
    has_ended(core, agent, held);
  }
}

}  // namespace bidboard
