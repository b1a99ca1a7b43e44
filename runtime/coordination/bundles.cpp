// Tasks that are bid for and won together. The first one is awarded like any task. The others are reserved
// for the winner and awarded one after the other, each as soon as the one before it is done, so that a bundle
// takes one slot. The reservation ends, and everybody may bid again, when a task of the bundle ends
// otherwise, takes more than twice its share of the time that was promised, or the controller starts anew.
#include <algorithm>
#include <utility>

#include "auction/calibration.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/checks/check.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

/// A task that takes twice as long as its share is late, and this much may always be lost on the way.
constexpr Duration grace = seconds(1);

/// What experience makes of a bid, when calibration is on.
BidVector believed(const Core& core, AgentId agent, const TaskSpec& task, const BidVector& said) {
  return core.board.config().calibrate ? corrected(said, core.board.calibration(agent, task.kind)) : said;
}

const TaskView* view_of(const Situation& situation, TaskId id) {
  const auto found = std::find_if(situation.tasks.begin(), situation.tasks.end(),
                                  [&](const TaskView& view) { return view.task->id == id; });
  return found == situation.tasks.end() ? nullptr : &*found;
}

/// Whether all tasks are up for clearing and the agent may have them at that price.
bool counts(const Core& core, const Situation& situation, const Problem& problem, AgentId agent,
            const BundleBid& bundle) {
  return std::ranges::all_of(bundle.tasks, [&](TaskId id) {
    if (std::ranges::find(problem.tasks, id, &ClearingTask::id) == problem.tasks.end()) return false;
    const TaskView* view = view_of(situation, id);
    const bool eligible = std::any_of(view->eligible.begin(), view->eligible.end(),
                                      [&](std::size_t i) { return situation.agents[i].agent->id == agent; });
    return eligible &&
           !over_budget(view->task->spec, believed(core, agent, view->task->spec, share_of(bundle)));
  });
}

bool is_kept(const Core& core, TaskId id, AuctionId auction) {
  const Task* task = core.board.task(id);
  return task && task->reserved_in == auction;
}

/// Whatever is still reserved is for anyone again.
void give_up(Core& core, AuctionId auction) {
  const auto bundle = core.bundles.find(auction);
  for (const TaskId id : bundle->second.left)
    if (is_kept(core, id, auction)) core.emit(TaskReserved{id, {}, {}});
  core.bundles.erase(bundle);
}

enum class Standing { runs, next, over };

Standing standing_of(Core& core, const WonBundle& bundle) {
  const Task* task = core.board.task(bundle.under_way);
  if (!task || task->epoch != bundle.epoch) return Standing::over;
  if (task->state == TaskState::done) return Standing::next;
  if (!is_held(task->state)) return Standing::over;
  const auto promise = core.promises.find(task->id);
  if (promise == core.promises.end()) return Standing::over;
  const Duration left =
      promise->second.awarded_at + Duration{2 * bundle.corrected_seconds} + grace - core.now.mono;
  if (left.us <= 0) return Standing::over;
  core.settle_again = std::min(core.settle_again, core.now.mono + left);
  return Standing::runs;
}

/// The first of those to come that can still be had; the ones before it are forgotten.
const Task* next_of(Core& core, AuctionId auction, WonBundle& bundle) {
  while (!bundle.left.empty()) {
    const TaskId id = bundle.left.front();
    const Task* task = core.board.task(id);
    const Agent* agent = core.board.agent(bundle.agent);
    if (is_kept(core, id, auction) && after(task->state, Move::award) && task->not_before.us == 0 &&
        !ineligible(*task, *agent))
      return task;
    if (is_kept(core, id, auction)) core.emit(TaskReserved{id, {}, {}});
    bundle.left.erase(bundle.left.begin());
  }
  return nullptr;
}

void award_next(Core& core, WonBundle& bundle, const Task& task) {
  const TaskId id = task.id;
  const BidVector share = share_of(bundle.said);
  const Agent& agent = *core.board.agent(bundle.agent);
  Auction decision = plain_decision(
      core, id,
      agent.profile.name + " won it together with " + to_string(bundle.under_way) + ", which is done");
  decision.mechanism = "combinatorial";
  decision.calibrated = core.board.config().calibrate;
  decision.bundle = bundle.said.tasks;
  decision.price = bundle.score;
  decision.bid_count = 1;
  decision.bids.push_back(
      {agent.id, share.seconds, share.price, share.confidence, bundle.corrected_seconds, 0, bundle.score});
  bundle.epoch = award(core, task, agent, std::move(decision), false).epoch;
  core.promises[id] = Promise{share, bundle.corrected_seconds, core.now.mono};
  bundle.under_way = id;
  bundle.left.erase(bundle.left.begin());
}

}  // namespace

void keep_bundle_bid(Core& core, AgentId agent, const Bid& bid) {
  std::vector<TaskId> tasks = bid.with;
  tasks.push_back(bid.task);
  std::ranges::sort(tasks);
  if (bid.refused || tasks.size() > bundle_tasks_max || std::ranges::adjacent_find(tasks) != tasks.end())
    return;
  for (const TaskId task : tasks) {
    const auto auction = core.auctions.find(task);
    if (auction == core.auctions.end() || !auction->second.invited.contains(agent)) return;
  }
  const BidAnswer answer = checked(BidVector{bid.seconds, bid.price, bid.confidence});
  auto& known = core.bundle_bids[agent];
  if (known.size() == bundle_bids_max || !std::holds_alternative<BidVector>(answer)) return;
  known.insert_or_assign(std::move(tasks), std::get<BidVector>(answer));
}

void drop_bundle_bids(Core& core, TaskId task) {
  for (auto& [agent, bids] : core.bundle_bids)
    std::erase_if(bids, [&](const auto& bid) { return std::ranges::binary_search(bid.first, task); });
}

std::set<TaskId> held_by_bundles(const Core& core, std::set<TaskId> awaited) {
  for (std::size_t before = 0; before != awaited.size();) {
    before = awaited.size();
    for (const auto& [agent, bids] : core.bundle_bids)
      for (const auto& [tasks, bid] : bids)
        if (std::ranges::any_of(tasks, [&](TaskId task) { return awaited.contains(task); }))
          awaited.insert(tasks.begin(), tasks.end());
  }
  return awaited;
}

bool has_bundle_bid(const Core& core, TaskId task) {
  for (const auto& [agent, bids] : core.bundle_bids)
    for (const auto& [tasks, bid] : bids)
      if (std::ranges::binary_search(tasks, task)) return true;
  return false;
}

std::vector<BundleOffer> bundles_for(const Core& core, const Situation& situation, const Problem& problem,
                                     const std::map<AgentId, std::vector<SingleBid>>& proxies) {
  std::vector<BundleOffer> offers;
  const auto add = [&](AgentId agent, const BundleBid& said) {
    if (offers.size() == clearing_bundles_max || !counts(core, situation, problem, agent, said)) return;
    const TaskSpec& kind = view_of(situation, said.tasks.front())->task->spec;
    offers.push_back({agent, said, believed(core, agent, kind, said.bid)});
  };
  for (const auto& [agent, bids] : core.bundle_bids)
    for (const auto& [tasks, bid] : bids) add(agent, {tasks, bid});
  for (const auto& [agent, singles] : proxies)
    for (const BundleBid& said : set_up_bundles(singles, core.board.agent(agent)->profile)) add(agent, said);
  return offers;
}

void begin_bundle(Core& core, AuctionId auction, WonBundle bundle) {
  for (const TaskId task : bundle.left) core.emit(TaskReserved{task, bundle.agent, auction});
  core.settle_again = core.now.mono;  // it may be that it is late already when nothing else happens
  core.bundles.emplace(auction, std::move(bundle));
}

void continue_bundles(Core& core) {
  std::vector<AuctionId> all;
  for (const auto& [auction, bundle] : core.bundles) all.push_back(auction);
  for (const AuctionId auction : all) {
    WonBundle& bundle = core.bundles.at(auction);
    const Standing standing = standing_of(core, bundle);
    if (standing == Standing::runs) continue;
    const Task* next = standing == Standing::next ? next_of(core, auction, bundle) : nullptr;
    if (!next) {
      give_up(core, auction);
      continue;
    }
    const auto session = core.sessions.find(bundle.agent);
    const bool there = session != core.sessions.end() && session->second.peer.value != 0;
    const bool has_room =
        core.board.holding_count(bundle.agent) < core.board.agent(bundle.agent)->profile.capacity;
    if (there && has_room) award_next(core, bundle, *next);
    if (bundle.left.empty()) core.bundles.erase(auction);
  }
}

Micros seconds_behind(const Core& core, TaskId under_way) {
  for (const auto& [auction, bundle] : core.bundles)
    if (bundle.under_way == under_way)
      return bundle.corrected_seconds * static_cast<Micros>(bundle.left.size());
  return 0;
}

}  // namespace bidboard
