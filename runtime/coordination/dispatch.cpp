// From ready tasks to awards. Strategies choose; every award goes through award(), where the rules are
// enforced.
#include <algorithm>
#include <set>
#include <utility>

#include "auction/eligibility.hpp"
#include "blackboard/checks/check.hpp"
#include "runtime/coordination/agreement.hpp"
#include "runtime/coordination/walk.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

void settle_by_push(Core& core, const Situation& situation) {
  for (const Choice& choice : core.strategy->choose(situation)) {
    if (choice.start_in > 0) {
      review_in(core, choice.start_in);
      continue;
    }
    const Task& task = *situation.tasks[choice.task].task;
    award(core, task, *situation.agents[choice.agent].agent, plain_decision(core, task.id, choice.why),
          false);
  }
}

void settle_by_pull(Core& core, const Situation& situation) {
  std::map<AgentId, Announcement> announcements;
  for (const TaskView& task : situation.tasks)
    for (const std::size_t i : task.eligible) {
      const AgentId agent = situation.agents[i].agent->id;
      if (situation.agents[i].free_slots == 0) continue;
      if (core.announced[agent].insert(task.task->id).second)
        announcements[agent].offers.push_back(offer_of(*task.task));
    }
  for (auto& [agent, announcement] : announcements) {
    announcement.pull = true;
    core.send(core.sessions.at(agent).peer, std::move(announcement));
  }
}

/// All that is ready, as far as there is somebody for it.
void settle_ready(Core& core) {
  while (true) {
    core.queued.clear();
    const std::uint64_t before = core.awards_made;
    Walk walk(core);
    for (Situation piece = walk.next(); !piece.tasks.empty(); piece = walk.next()) {
      switch (core.strategy->style()) {
        case Style::push:
          settle_by_push(core, piece);
          break;
        case Style::bids:
          settle_by_bids(core, piece);
          break;
        case Style::pull:
          settle_by_pull(core, piece);
          break;
        case Style::delegate:
          settle_by_delegation(core, piece);
          break;
        case Style::agree:
          offer_to_peers(core, piece);
          break;
      }
    }
    walk.finish();
    // Whoever is still free may find something among the tasks that were not looked at.
    if (walk.complete() || core.awards_made == before) return;
  }
}

template <class T, class... Kinds>
constexpr bool is_one_of = (std::is_same_v<T, Kinds> || ...);

/// Whoever's holdings the event changes.
void touch_roster(Core& core, const EventBody& body) {
  const auto touch = [&](AgentId agent) {
    core.roster.touch(agent);
    core.hierarchy.touch(agent);
  };
  std::visit(
      [&]<class Body>(const Body& event) {
        if constexpr (requires { event.agent.profile; })
          touch(event.agent.id);
        else if constexpr (is_one_of<Body, TaskAwarded, AgentLeft>)
          touch(event.agent);
        else if constexpr (is_one_of<Body, TaskMoved, AttemptEnded, TaskFinished>)
          touch(core.board.task(event.task)->holder);
        if constexpr (is_one_of<Body, AgentRegistered, AgentLeft>) core.hierarchy.changed = true;
      },
      body);
}

}  // namespace

bool may_be_awarded(const Task& task) { return after(task.state, Move::award) && task.not_before.us == 0; }

/// Why the agent may not have the task; nothing when it may. Where nobody is asked for a bid, the price that
/// the agent is known to take must fit the budget.
std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent) {
  if (auto refusal = ineligible(task, agent)) return refusal;
  if (task.spec.budget <= 0 || core.strategy->style() == Style::bids) return {};
  if (agent.profile.bids != BidStyle::formula)
    return over_budget(task.spec, standard_bid(task.spec, agent.profile));
  const Result<BidVector> bid = formula_bid(task.spec, task.attempts, agent.profile);
  if (!bid) return Refusal{RefusalReason::invalid, bid.error().text};
  return over_budget(task.spec, *bid);
}

void note_for_dispatch(Core& core, const EventBody& body) {
  touch_roster(core, body);
  std::visit(
      [&]<class Body>(const Body& event) {
        constexpr bool is_upkeep = is_one_of<Body, TermStarted, WorkflowPosted, TaskStarted, TaskProgressed,
                                             TaskRenewed, TaskStalled, AgentSeen, DiscoveryPosted, Replied,
                                             ClientForgotten, RequestRefused, AuctionFailed>;
        if (!is_upkeep) core.dispatch_wanted = true;
        if (is_one_of<Body, ConfigSet, AgentRegistered, AgentLeft>) core.barren.clear();
        if constexpr (std::is_same_v<Body, TaskPosted>) core.newly_ready.push_back(event.task.id);
        if constexpr (is_one_of<Body, TaskMoved, BackoffOver, AttemptEnded, TaskReopened, TaskReserved>)
          core.newly_ready.push_back(event.task);
      },
      body);
}

void settle(Core& core) {
  core.settle_again = never;
  if (core.sessions.empty()) return core.newly_ready.clear();
  continue_bundles(core);
  const bool agree = core.strategy->style() == Style::agree;
  const bool delegates = core.strategy->style() == Style::delegate;
  if (agree) name_peers(core);
  if (delegates) begin_delegating(core);
  settle_ready(core);
  if (agree) tell_offers(core);
  if (delegates) send_delegations(core);
}

void on_take(Core& core, PeerId peer, const Take& message) {
  const Agent* agent = authenticate(core, peer, message.agent, message.secret);
  if (!agent) return;
  if (core.strategy->style() == Style::agree) return take_agreed(core, peer, *agent, message.tasks);
  if (core.strategy->style() != Style::pull) return;  // elsewhere nobody helps himself
  for (const TaskId id : message.tasks) {
    // Only what it was told of: who failed a task is told of it only when nobody else may have it.
    if (core.announced[agent->id].erase(id) == 0) continue;
    const Task* task = core.board.task(id);
    const bool has_room = core.board.holding_count(agent->id) < agent->profile.capacity;
    if (!task || !has_room || !may_be_awarded(*task) || objection(core, *task, *agent)) continue;
    award(core, *task, *agent, plain_decision(core, id, "its claim was the first valid one"), false);
  }
  core.dispatch_wanted = true;
}

Auction plain_decision(const Core& core, TaskId task, std::string why) {
  Auction decision;
  decision.task = task;
  decision.mechanism = core.strategy->name();
  decision.opened_at = decision.closed_at = core.now.wall;
  decision.why = std::move(why);
  return decision;
}

Claimed award(Core& core, const Task& task, const Agent& agent, Auction decision, bool shell_claim) {
  BB_CHECK(after(task.state, Move::award), "only a waiting task is awarded");
  BB_CHECK(!ineligible(task, agent), "nobody is awarded what the rules forbid");
  BB_CHECK(shell_claim || core.board.holding_count(agent.id) < agent.profile.capacity,
           "an agent is never overloaded");
  const TaskId id = task.id;
  const AgentId to = agent.id;
  const Epoch epoch = task.epoch.next();
  core.awards_made += 1;
  const std::string capability = core.secrets.capability(id, epoch);
  const WallTime deadline = core.now.wall + task.spec.timeout;
  decision.id = AuctionId{core.board.counters().auction.value + 1};
  decision.winner = to;
  close_auction(core, id, true);
  core.promises.erase(id);  // of an award that was called off: it binds nobody else
  core.emit(TaskAwarded{id, to, epoch, secret_hash(capability), shell_claim, deadline, std::move(decision)});
  if (!shell_claim) {
    const auto session = core.sessions.find(to);
    if (session != core.sessions.end())
      core.awards[session->second.peer].awards.push_back(award_item(core, *core.board.task(id)));
  }
  return Claimed{id, epoch, to, capability, deadline};
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
