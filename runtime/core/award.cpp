#include "runtime/core/award.hpp"

#include "runtime/core/budgets.hpp"

#include <algorithm>

#include "auction/bid.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/task_states.hpp"
#include "runtime/core/comments.hpp"
#include "runtime/core/pieces.hpp"
#include "runtime/core/turns.hpp"
#include "runtime/core/winding_up.hpp"

namespace bidboard {
namespace {

/// What award() and award_at_shell() share: the epoch and the capability.
std::string award_to(Core& core, const Task& task, const Agent& agent, Auction decision, bool claim) {
  BB_CHECK(after(task.state, Move::award), "only a waiting task is awarded");
  BB_CHECK(!ineligible(task, agent), "an award never breaks the rules");
  const Epoch epoch = task.epoch.next();
  std::string capability = core.secrets.capability(task.id, epoch);
  decision.id = AuctionId{core.board.counters().auction.value + 1};
  decision.winner = agent.id;
  core.emit(TaskAwarded{task.id, agent.id, epoch, secret_hash(capability), claim,
                        core.now.wall + task.spec.timeout, std::move(decision)});
  return capability;
}

}  // namespace

bool may_be_awarded(const Task& task) { return after(task.state, Move::award) && task.holds.empty(); }

std::optional<Refusal> unfit(const Core& core, const AgentProfile& agent) {
  if (auto refusal = rests(core, agent)) return refusal;
  return beyond_budget(core, agent);
}

std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent) {
  if (auto refusal = ineligible(task, agent)) return refusal;
  if (auto refusal = unfit(core, agent.profile)) return refusal;
  if (auto refusal = comes_later(core, task, agent)) return refusal;
  if (task.spec.budget <= 0 || core.coordinator->asks_for_prices()) return {};
  return against_own_bid(task.spec, task.attempts, agent.profile);
}

std::uint32_t taken_slots(const Core& core, AgentId agent) {
  return core.board.holding_count(agent) + static_cast<std::uint32_t>(slots_winding_up(core, agent));
}

bool is_below_capacity(const Core& core, const Agent& agent) {
  return taken_slots(core, agent.id) < agent.profile.capacity;
}

bool has_free_slot(const Core& core, const Agent& agent) {
  return is_below_capacity(core, agent) && has_room(core, agent.profile) &&
         within_budget(core, agent.profile);
}

Auction plain_decision(const Core& core, TaskId task, std::string why) {
  Auction decision;
  decision.task = task;
  decision.mechanism = core.coordinator->name();
  decision.opened_at = decision.closed_at = core.now.wall;
  decision.why = std::move(why);
  return decision;
}

bool award(Core& core, const Task& task, const Agent& agent, Auction decision,
           std::optional<Promise> promise) {
  BB_CHECK(may_be_awarded(task), "what is held back is not awarded");
  BB_CHECK(has_free_slot(core, agent), "an agent never holds more than its capacity");
  const TaskId id = task.id;
  const AgentId to = agent.id;
  if (std::optional<Hold> hold = budget_hold(core, task)) {
    core.emit(TaskHeld{id, std::move(*hold)});
    return false;
  }
  std::string capability = award_to(core, task, agent, std::move(decision), false);
  core.promises.erase(id);  // of an award that was revoked
  if (promise) core.promises[id] = *promise;
  const auto session = core.sessions.find(to);
  if (session != core.sessions.end())
    core.send_award(session->second.peer, award_item(core, *core.board.task(id), std::move(capability),
                                                     core.board.agent(to)->profile));
  return true;
}

Claimed award_claim(Core& core, const Task& task, const Agent& agent, Auction decision) {
  const TaskId id = task.id;
  const AgentId to = agent.id;
  std::string capability = award_to(core, task, agent, std::move(decision), true);
  core.promises.erase(id);
  const Task& awarded = *core.board.task(id);
  return Claimed{id, awarded.epoch, to, std::move(capability), awarded.deadline};
}

TaskOffer offer_of(const Task& task) { return {task.id, task.spec, task.attempts + 1, task.failures}; }

namespace {

NeedResult need_result(const Core& core, const Need& need) {
  const Task& needed = *core.board.task(need.task);
  return {needed.id, needed.spec.name, needed.state, core.board.result_of(needed)};
}

}  // namespace

AwardItem award_item(const Core& core, const Task& task, std::string capability, const AgentProfile& agent) {
  AwardItem item{offer_of(task),
                 task.epoch,
                 std::move(capability),
                 task.deadline,
                 {},
                 false,
                 latest_comments(core, task),
                 budget_left(core, task, agent),
                 {}};
  item.offer.attempt = task.attempts;
  std::size_t bytes = 0;
  for (const Need& need : task.spec.needs) {
    item.needs.push_back(need_result(core, need));
    bytes += bytes_of(item.needs.back());
    item.needs_apart = bytes > needs_bytes_in_award;
    if (item.needs_apart) break;
  }
  if (item.needs_apart) item.needs.clear();
  for (const Need& need : task.spec.needs)
    if (const Task& needed = *core.board.task(need.task);
        needed.state == TaskState::done && !needed.commit.empty())
      item.works.push_back({needed.id, needed.commit});
  return item;
}

NeedsPage needs_page(const Core& core, const Task& task, std::uint32_t from, std::uint64_t offset) {
  NeedsPage page{{task.id, task.epoch}, from, offset, {}, true, from, 0};
  std::size_t room = message_bytes_max;
  for (; page.next < task.spec.needs.size(); page.next += 1, offset = 0) {
    NeedResult need = need_result(core, task.spec.needs[page.next]);
    need.result.erase(0, static_cast<std::size_t>(std::min<std::uint64_t>(offset, need.result.size())));
    const std::size_t others = bytes_of(need) - need.result.size();
    page.complete = others < room;
    if (!page.complete) break;
    room -= others;
    page.complete = need.result.size() <= room;
    if (!page.complete) need.result.resize(room);
    room -= need.result.size();
    page.next_offset = page.complete ? 0 : offset + need.result.size();
    page.needs.push_back(std::move(need));
    if (!page.complete) break;
  }
  return page;
}

}  // namespace bidboard
