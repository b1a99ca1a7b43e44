#include "runtime/core/award.hpp"

#include "auction/bid.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/task_states.hpp"

namespace bidboard {
namespace {

/// What the two ways to an award share; the capability.
std::string award_to(Core& core, const Task& task, const Agent& agent, Auction decision, bool claim) {
  BB_CHECK(after(task.state, Move::award), "only a waiting task is awarded");
  BB_CHECK(!ineligible(task, agent), "nobody is awarded what the rules forbid");
  const Epoch epoch = task.epoch.next();
  std::string capability = core.secrets.capability(task.id, epoch);
  decision.id = AuctionId{core.board.counters().auction.value + 1};
  decision.winner = agent.id;
  core.emit(TaskAwarded{task.id, agent.id, epoch, secret_hash(capability), claim,
                        core.now.wall + task.spec.timeout, std::move(decision)});
  return capability;
}

}  // namespace

bool may_be_awarded(const Task& task) { return after(task.state, Move::award) && task.not_before.us == 0; }

std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent) {
  if (auto refusal = ineligible(task, agent)) return refusal;
  if (task.spec.budget <= 0 || core.coordinator->asks_for_prices()) return {};
  if (agent.profile.bids != BidStyle::formula)
    return over_budget(task.spec, standard_bid(task.spec, agent.profile));
  const Result<BidVector> bid = formula_bid(task.spec, task.attempts, agent.profile);
  if (!bid) return Refusal{RefusalReason::invalid, bid.error().text};
  return over_budget(task.spec, *bid);
}

bool has_free_slot(const Core& core, const Agent& agent) {
  return core.board.holding_count(agent.id) < agent.profile.capacity;
}

Auction plain_decision(const Core& core, TaskId task, std::string why) {
  Auction decision;
  decision.task = task;
  decision.mechanism = core.coordinator->name();
  decision.opened_at = decision.closed_at = core.now.wall;
  decision.why = std::move(why);
  return decision;
}

void award(Core& core, const Task& task, const Agent& agent, Auction decision,
           std::optional<Promise> promise) {
  BB_CHECK(has_free_slot(core, agent), "an agent is never overloaded");
  const TaskId id = task.id;
  const AgentId to = agent.id;
  award_to(core, task, agent, std::move(decision), false);
  core.promises.erase(id);  // of an award that was called off: it binds nobody else
  if (promise) core.promises[id] = *promise;
  const auto session = core.sessions.find(to);
  if (session != core.sessions.end())
    core.send_award(session->second.peer, award_item(core, *core.board.task(id)));
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

AwardItem award_item(const Core& core, const Task& task) {
  AwardItem item{offer_of(task), task.epoch, core.secrets.capability(task.id, task.epoch), task.deadline, {}};
  item.offer.attempt = task.attempts;
  for (const Need& need : task.spec.needs)
    if (const Task* needed = core.board.task(need.task))
      item.needs.push_back({needed->id, needed->spec.name, needed->state, core.board.result_of(*needed)});
  return item;
}

}  // namespace bidboard
