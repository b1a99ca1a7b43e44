#include "runtime/coordination/bundles.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/fmt.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

/// A task that takes twice as long as its share is late; this much more is always allowed for delays.
constexpr Duration grace = seconds(1);

const TaskView* view_of(const Situation& situation, TaskId id) {
  const auto found = std::find_if(situation.tasks.begin(), situation.tasks.end(),
                                  [&](const TaskView& view) { return view.task->id == id; });
  return found == situation.tasks.end() ? nullptr : &*found;
}

/// Whether all tasks are up for clearing and the agent may have them at that price.
bool counts(Asking& asking, const Problem& problem, AgentId agent, const BundleBid& bundle) {
  return std::ranges::all_of(bundle.tasks, [&](TaskId id) {
    if (std::ranges::find(problem.tasks, id, &ClearingTask::id) == problem.tasks.end()) return false;
    const TaskView* view = view_of(asking.situation, id);
    const bool eligible = std::ranges::any_of(
        view->eligible, [&](std::size_t i) { return asking.situation.agents[i].agent->id == agent; });
    return eligible &&
           !over_budget(view->task->spec, asking.believed(agent, view->task->spec, share_of(bundle)));
  });
}

bool is_kept(const Core& core, TaskId id, AuctionId auction) {
  const Task* task = core.board.task(id);
  return task && task->reserved_in == auction;
}

/// The next task of the bundle that can still be awarded; earlier ones are forgotten.
const Task* next_of(Core& core, AuctionId auction, WonBundle& bundle) {
  while (!bundle.left.empty()) {
    const TaskId id = bundle.left.front();
    const Task* task = core.board.task(id);
    const Agent* agent = core.board.agent(bundle.agent);
    if (is_kept(core, id, auction) && may_be_awarded(*task) && !ineligible(*task, *agent)) return task;
    if (is_kept(core, id, auction)) core.emit(TaskReserved{id, {}, {}});
    bundle.left.erase(bundle.left.begin());
  }
  return nullptr;
}

/// Whether it got it: a budget may hold the task instead.
bool award_next(Core& core, WonBundle& bundle, const Task& task) {
  const TaskId id = task.id;
  const BidVector share = share_of(bundle.said);
  const Agent& agent = *core.board.agent(bundle.agent);
  Auction decision = plain_decision(
      core, id,
      fmt::format("{} won it together with {}, which is done", agent.profile.name, bundle.under_way));
  decision.mechanism = "combinatorial";
  decision.calibrated = core.board.config().calibrate;
  decision.bundle = bundle.said.tasks;
  decision.price = bundle.score;
  decision.bid_count = 1;
  decision.bids.push_back(
      {agent.id, share.seconds, share.price, share.confidence, bundle.corrected_seconds, 0, bundle.score});
  const Promise promise{share, bundle.corrected_seconds, core.now.mono};
  if (!award(core, task, agent, std::move(decision), promise)) return false;
  bundle.epoch = core.board.task(id)->epoch;
  bundle.under_way = id;
  bundle.left.erase(bundle.left.begin());
  return true;
}

}  // namespace

void Bundles::keep_bid(const BidBook& book, AgentId agent, const Bid& bid) {
  std::vector<TaskId> tasks = bid.with;
  tasks.push_back(bid.task);
  std::ranges::sort(tasks);
  if (bid.refused || tasks.size() > bundle_tasks_max || std::ranges::adjacent_find(tasks) != tasks.end())
    return;
  for (const TaskId task : tasks)
    if (!book.is_invited(agent, task)) return;
  const BidAnswer answer = checked(BidVector{bid.seconds, bid.price, bid.confidence});
  auto& known = bids_[agent];
  if (known.size() == bundle_bids_max || !std::holds_alternative<BidVector>(answer)) return;
  known.insert_or_assign(std::move(tasks), std::get<BidVector>(answer));
}

void Bundles::drop_bids(TaskId task) {
  for (auto& [agent, bids] : bids_)
    std::erase_if(bids, [&](const auto& bid) { return std::ranges::binary_search(bid.first, task); });
}

std::set<TaskId> Bundles::held_with(std::set<TaskId> awaited) const {
  for (std::size_t before = 0; before != awaited.size();) {
    before = awaited.size();
    for (const auto& [agent, bids] : bids_)
      for (const auto& [tasks, bid] : bids)
        if (std::ranges::any_of(tasks, [&](TaskId task) { return awaited.contains(task); }))
          awaited.insert(tasks.begin(), tasks.end());
  }
  return awaited;
}

bool Bundles::has_bid(TaskId task) const {
  for (const auto& [agent, bids] : bids_)
    for (const auto& [tasks, bid] : bids)
      if (std::ranges::binary_search(tasks, task)) return true;
  return false;
}

std::vector<BundleOffer> Bundles::offers(Asking& asking, const Problem& problem,
                                         const std::map<AgentId, std::vector<SingleBid>>& proxies) const {
  std::vector<BundleOffer> offers;
  const auto add = [&](AgentId agent, const BundleBid& said) {
    if (offers.size() == clearing_bundles_max || !counts(asking, problem, agent, said)) return;
    const TaskSpec& kind = view_of(asking.situation, said.tasks.front())->task->spec;
    offers.push_back({agent, said, asking.believed(agent, kind, said.bid)});
  };
  for (const auto& [agent, bids] : bids_)
    for (const auto& [tasks, bid] : bids) add(agent, {tasks, bid});
  for (const auto& [agent, singles] : proxies)
    for (const BundleBid& said : set_up_bundles(singles, asking.core.board.agent(agent)->profile))
      add(agent, said);
  return offers;
}

void Bundles::begin(Core& core, AuctionId auction, WonBundle bundle) {
  for (const TaskId task : bundle.left) core.emit(TaskReserved{task, bundle.agent, auction});
  won_.emplace(auction, std::move(bundle));
}

/// The tasks that are still reserved may be awarded to any agent again.
void Bundles::give_up(Core& core, AuctionId auction) {
  const auto bundle = won_.find(auction);
  for (const TaskId id : bundle->second.left)
    if (is_kept(core, id, auction)) core.emit(TaskReserved{id, {}, {}});
  won_.erase(bundle);
}

Bundles::Standing Bundles::standing_of(const Core& core, const WonBundle& bundle, Instant& review) const {
  const Task* task = core.board.task(bundle.under_way);
  if (!task || task->epoch != bundle.epoch) return Standing::over;
  if (task->state == TaskState::done) return Standing::next;
  if (!is_held(task->state)) return Standing::over;
  const auto promise = core.promises.find(task->id);
  if (promise == core.promises.end()) return Standing::over;
  const Duration left =
      promise->second.awarded_at + Duration{2 * bundle.corrected_seconds} + grace - core.now.mono;
  if (left.us <= 0) return Standing::over;
  review = std::min(review, core.now.mono + left);
  return Standing::runs;
}

Instant Bundles::go_on(Core& core) {
  Instant review = never;
  std::vector<AuctionId> all;
  for (const auto& [auction, bundle] : won_) all.push_back(auction);
  for (const AuctionId auction : all) {
    WonBundle& bundle = won_.at(auction);
    const Standing standing = standing_of(core, bundle, review);
    if (standing == Standing::runs) continue;
    const Task* next = standing == Standing::next ? next_of(core, auction, bundle) : nullptr;
    if (!next) {
      give_up(core, auction);
      continue;
    }
    const auto session = core.sessions.find(bundle.agent);
    const bool there = session != core.sessions.end() && session->second.connected();
    const Agent& winner = *core.board.agent(bundle.agent);
    // Nobody knows for how long, and the tasks are reserved.
    if (unfit(core, winner.profile) || !has_room(core, winner.profile)) {
      give_up(core, auction);
      continue;
    }
    if (there && has_free_slot(core, winner) && !award_next(core, bundle, *next)) {
      give_up(core, auction);
      continue;
    }
    if (bundle.left.empty()) won_.erase(auction);
  }
  return review;
}

Micros Bundles::seconds_behind(TaskId under_way) const {
  for (const auto& [auction, bundle] : won_)
    if (bundle.under_way == under_way)
      return bundle.corrected_seconds * static_cast<Micros>(bundle.left.size());
  return 0;
}

}  // namespace bidboard
