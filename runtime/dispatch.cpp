// From ready tasks to awards. Strategies choose; every award goes through award(), where the rules are
// enforced.
#include <algorithm>
#include <set>
#include <utility>

#include "auction/eligibility.hpp"
#include "blackboard/check.hpp"
#include "runtime/core.hpp"

namespace bidboard {
namespace {

/// Per slot, this many tasks are looked at in one clearing: more would let a minimum-cost assignment pick the
/// cheapest tasks instead of the most urgent ones.
constexpr std::size_t candidates_per_slot = 4;
/// With more than 32 slots fewer, so that a clearing compares no more bids than this, but never less than
/// four tasks: looking further made no schedule shorter (tests/sim/makespan_test.cpp).
constexpr std::size_t bids_at_once = 4'096;

/// How many of the tasks that an agent may take are looked at. It shares them with the others: for its own
/// slots alone, equal agents would look at a few tasks together and leave most of themselves idle.
std::size_t window(const std::vector<AgentView>& agents) {
  std::size_t slots = 0;
  for (const AgentView& view : agents) slots += view.agent->profile.capacity;
  return std::min(candidates_per_slot * slots, bids_at_once / std::max<std::size_t>(agents.size(), 1));
}

std::vector<AgentView> connected_agents(const Core& core) {
  std::vector<AgentView> agents;
  for (const auto& [id, session] : core.sessions) {
    if (session.peer.value == 0) continue;
    const Agent* agent = core.board.agent(id);
    AgentView view{agent, core.board.holding_count(id), 0, {}};
    if (view.holding < agent->profile.capacity) view.free_slots = agent->profile.capacity - view.holding;
    if (core.strategy->looks_ahead()) view.slot_free_in = slots_free_in(core, view);
    agents.push_back(std::move(view));
  }
  return agents;
}

bool failed_it(const Task& task, AgentId agent) {
  return std::any_of(task.failures.begin(), task.failures.end(),
                     [&](const AttemptFailure& failure) { return failure.agent == agent; });
}

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

/// Agents that may take the task; those that failed it before only when nobody else may.
std::vector<std::size_t> eligible_agents(const Core& core, const Task& task,
                                         const std::vector<AgentView>& agents) {
  std::vector<std::size_t> all;
  for (std::size_t i = 0; i < agents.size(); ++i)
    if (!objection(core, task, *agents[i].agent)) all.push_back(i);
  if (task.failures.empty()) return all;
  std::vector<std::size_t> fresh;
  for (const std::size_t i : all)
    if (!failed_it(task, agents[i].agent->id)) fresh.push_back(i);
  return fresh.empty() ? all : fresh;
}

bool may_be_awarded(const Task& task) { return after(task.state, Move::award) && task.not_before.us == 0; }

/// The agent it was reserved for has left, or the bundle it belonged to is forgotten (after a restart).
bool reserved_for_nobody(const Core& core, const Task& task) {
  if (task.reserved_in && !core.bundles.contains(task.reserved_in)) return true;
  const Agent* wanted = task.reserved_for ? core.board.agent(task.reserved_for) : nullptr;
  return wanted && wanted->state == AgentState::gone;
}

/// Who found nothing before has something to look at when one of the new tasks is for it.
void feed_the_barren(Core& core, const std::vector<AgentView>& agents) {
  for (const TaskId id : std::exchange(core.newly_ready, {})) {
    if (core.barren.empty()) continue;
    const Task* task = core.board.task(id);
    if (!task || !may_be_awarded(*task)) continue;
    if (reserved_for_nobody(core, *task)) core.emit(TaskReserved{id, {}, {}});
    for (const std::size_t i : eligible_agents(core, *task, agents)) core.barren.erase(agents[i].agent->id);
  }
}

/// Walks the ready index until every agent with a free slot has enough to choose from. `unreserved`: met on
/// the way.
Situation walk(Core& core, std::vector<TaskId>& unreserved) {
  Situation situation;
  situation.agents = connected_agents(core);
  feed_the_barren(core, situation.agents);
  std::vector<std::size_t> room;
  std::set<AgentId> unfed;
  const std::size_t shared = window(situation.agents);
  for (const AgentView& view : situation.agents) {
    room.push_back(std::max(shared, candidates_per_slot * view.agent->profile.capacity));
    if (view.free_slots > 0 && !core.barren.contains(view.agent->id)) unfed.insert(view.agent->id);
  }
  const std::set<AgentId> looking = unfed;
  std::size_t hungry = looking.size();  // those whose room is not used up
  if (hungry == 0) return situation;
  core.board.scan(std::string(1, keys::ready_letter), {}, [&](std::string_view key, std::string_view) {
    const Task* task = core.board.task(keys::last_id<TaskId>(key));
    if (!task || core.bundles.contains(task->reserved_in)) return true;  // it comes when its turn comes
    if (reserved_for_nobody(core, *task)) unreserved.push_back(task->id);
    TaskView view{task, eligible_agents(core, *task, situation.agents)};
    if (std::none_of(view.eligible.begin(), view.eligible.end(), [&](std::size_t i) { return room[i] > 0; }))
      return true;
    for (const std::size_t i : view.eligible) {
      const AgentId agent = situation.agents[i].agent->id;
      unfed.erase(agent);
      if (room[i] > 0 && --room[i] == 0 && looking.contains(agent)) --hungry;
    }
    situation.tasks.push_back(std::move(view));
    situation.complete = hungry > 0;
    return situation.complete;
  });
  core.barren.insert(unfed.begin(), unfed.end());  // whoever is still unfed has seen all there is
  return situation;
}

/// The ready tasks that can be dealt with now, and the agents.
Situation look_around(Core& core) {
  std::vector<TaskId> unreserved;
  Situation situation = walk(core, unreserved);
  if (unreserved.empty()) return situation;
  for (const TaskId id : unreserved) core.emit(TaskReserved{id, {}, {}});
  return walk(core, unreserved);
}

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

template <class T, class... Kinds>
constexpr bool is_one_of = (std::is_same_v<T, Kinds> || ...);

}  // namespace

void note_for_dispatch(Core& core, const EventBody& body) {
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
  while (true) {
    const Situation situation = look_around(core);
    if (situation.tasks.empty()) return;
    const std::uint64_t before = core.awards_made;
    switch (core.strategy->style()) {
      case Style::push:
        settle_by_push(core, situation);
        break;
      case Style::bids:
        settle_by_bids(core, situation);
        break;
      case Style::pull:
        return settle_by_pull(core, situation);
    }
    // Whoever is still free may find something among the tasks that were not looked at.
    if (situation.complete || core.awards_made == before) return;
  }
}

void on_take(Core& core, PeerId peer, const Take& message) {
  const Agent* agent = authenticate(core, peer, message.agent, message.secret);
  if (!agent || core.strategy->style() != Style::pull) return;  // elsewhere nobody helps himself
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
  close_auction(core, id);
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
