// Strategy `auction`: agents bid, a mechanism clears. bid_book.hpp keeps the bids, auction/ decides; this
// file connects the two.
#include <algorithm>
#include <deque>
#include <utility>

#include "auction/clearing.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/coordination/auction_records.hpp"
#include "runtime/coordination/bid_book.hpp"
#include "runtime/coordination/bundles.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/coordination/walking.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

/// When no agent bids for a task, all are asked again after this long: the obstacle may be gone by then.
constexpr Duration ask_again_after = seconds(30);

/// The input of one clearing.
struct Round {
  std::vector<Gathered> all;  ///< by task, in the order of the problem's
  std::vector<BundleOffer> bundles;
  std::map<AgentId, Micros> next_slot;  ///< when each agent could begin another task
  Problem problem;

  const Gathered& gathered(TaskId task) const {
    return *std::ranges::find_if(all, [&](const Gathered& g) { return g.view->task->id == task; });
  }
  bool offers_bundle_with(TaskId task) const {
    return std::ranges::any_of(bundles, [&](const BundleOffer& offer) {
      return std::ranges::binary_search(offer.said.tasks, task);
    });
  }
};

/// The bids that the controller computed for agents that save set-up cost.
std::map<AgentId, std::vector<SingleBid>> singles_of(const Core& core, const std::vector<Gathered>& all) {
  std::map<AgentId, std::vector<SingleBid>> singles;
  for (const Gathered& gathered : all)
    for (const RecordedBid& bid : gathered.bids) {
      const AgentProfile& profile = core.board.agent(bid.agent)->profile;
      if (profile.set_up <= 0 || profile.bids == BidStyle::live) continue;
      const Task& task = *gathered.view->task;
      singles[bid.agent].push_back({task.id, &task.spec, {bid.seconds, bid.price, bid.confidence}});
    }
  return singles;
}

/// The tasks for which bids are still awaited.
std::set<TaskId> incomplete(const std::vector<Gathered>& all) {
  std::set<TaskId> tasks;
  for (const Gathered& gathered : all)
    if (!gathered.complete) tasks.insert(gathered.view->task->id);
  return tasks;
}

/// "t1, t2 and t3"
std::string listed(const std::vector<TaskId>& tasks) {
  std::string text;
  for (std::size_t i = 0; i < tasks.size(); ++i)
    text += (i == 0 ? "" : i + 1 == tasks.size() ? " and " : ", ") + to_string(tasks[i]);
  return text;
}

class AuctionCoordinator final : public WalkingCoordinator {
 public:
  std::string_view name() const override { return "auction"; }
  Outlook outlook() const override { return {.samples = true}; }
  bool asks_for_prices() const override { return true; }

  void on_message(Core& core, AgentId agent, const Message& message) override {
    if (const auto* bids = std::get_if<Bids>(&message)) on_bids(core, agent, *bids);
  }
  void agent_gone(Core&, AgentId agent) override {
    forget_bids(agent);
    book_.wait_for(agent);
  }
  void on_change(Core& core, const Change& change) override {
    WalkingCoordinator::on_change(core, change);
    // A new process under the same name has not made the old one's bids.
    if (const auto* registered = std::get_if<AgentRegistered>(&change.event->body))
      forget_bids(registered->agent.id);
  }
  void task_closed(Core&, TaskId task, Closed) override {
    book_.close(task);
    bundles_.drop_bids(task);
  }
  void tick(Core& core) override {
    WalkingCoordinator::tick(core);
    if (book_.tick(core.now.mono)) core.wake();
  }
  Instant next_wakeup(const Core& core) const override {
    return std::min(WalkingCoordinator::next_wakeup(core), book_.next_deadline());
  }
  void forget(Core& core) override {
    WalkingCoordinator::forget(core);
    book_.clear();
    bundles_.clear();
    reserved_seconds_.clear();
  }

 private:
  void begin_settle(Core& core) override { settle_at(bundles_.go_on(core)); }
  void begin_walk() override { reserved_seconds_.clear(); }
  bool settle_piece(Core& core, const Situation& situation) override;
  bool keeps_bundle(AuctionId auction) const override { return bundles_.keeps(auction); }
  Micros seconds_behind(TaskId task) const override { return bundles_.seconds_behind(task); }
  std::vector<AgentId> asked_already(Core& core, TaskId task) override;
  void add_reserved(AgentId agent, std::vector<Micros>& free_in) const override;

  void forget_bids(AgentId agent) { book_.forget(agent), bundles_.forget(agent); }
  void on_bids(Core& core, AgentId agent, const Bids& message);
  void ask_who_failed(Asking& asking, Gathered& gathered, std::deque<TaskView>& views);
  void ask_again(Asking& asking, Gathered& gathered);
  Round round_of(Asking& asking, std::deque<TaskView>& widened);
  void fill_in(Asking& asking, Round& round) const;
  bool clear(Core& core, const Round& round, bool sampled);
  void award_single(Core& core, const Round& round, const Award& won);
  void award_bundle(Core& core, const Round& round, const Award& won);
  WallTime opened_at(TaskId task);

  BidBook book_;
  Bundles bundles_;
  /// Of the current walk: how long each task takes that was reserved for the agent.
  std::map<AgentId, std::vector<Micros>> reserved_seconds_;
};

bool AuctionCoordinator::settle_piece(Core& core, const Situation& situation) {
  Asking asking{core, situation};
  std::deque<TaskView> widened;
  Round round = round_of(asking, widened);
  fill_in(asking, round);
  // Bid for together with other tasks, but not with these.
  for (Gathered& gathered : round.all)
    if (gathered.bids.empty() && !round.offers_bundle_with(gathered.view->task->id))
      ask_again(asking, gathered);
  for (auto& [agent, announcement] : asking.announcements) core.send(agent, std::move(announcement));
  book_.note_late(core);
  return clear(core, round, situation.sampled);
}

/// The tasks for which all bids have arrived.
Round AuctionCoordinator::round_of(Asking& asking, std::deque<TaskView>& widened) {
  Round round;
  const bool bundled = asking.core.board.config().mechanism == "combinatorial";
  std::vector<Gathered> gathered_all;
  for (const TaskView& view : asking.situation.tasks) {
    Gathered& gathered = gathered_all.emplace_back(book_.gather(asking, view));
    if (gathered.complete && gathered.bids.empty()) ask_who_failed(asking, gathered, widened);
  }
  const std::set<TaskId> held = bundled ? bundles_.held_with(incomplete(gathered_all)) : std::set<TaskId>{};
  for (Gathered& gathered : gathered_all) {
    const TaskId task = gathered.view->task->id;
    if (!gathered.complete || held.contains(task)) continue;
    if (gathered.bids.empty() && !(bundled && bundles_.has_bid(task))) {
      ask_again(asking, gathered);
      if (!gathered.complete || gathered.bids.empty()) continue;
    }
    round.problem.tasks.push_back({task});
    round.all.push_back(std::move(gathered));
  }
  return round;
}

/// If no other agent bids, the agents that failed the task before may bid again.
void AuctionCoordinator::ask_who_failed(Asking& asking, Gathered& gathered, std::deque<TaskView>& views) {
  if (!gathered.refusals.contains(RefusalReason::failed_before)) return;
  const TaskView& before = *gathered.view;
  TaskView view = before;
  view.failed.clear();
  for (const std::size_t i : before.failed)
    if (!ineligible(*view.task, *asking.situation.agents[i].agent)) view.eligible.push_back(i);
  std::ranges::sort(view.eligible);
  gathered = book_.gather(asking, views.emplace_back(std::move(view)));
  // If one of the others bids after all, these need not be waited for.
  if (OpenAuction* auction = book_.find(before.task->id)) auction->awaited.clear();
}

/// Gathers again once all agents declined or were silent long enough ago.
void AuctionCoordinator::ask_again(Asking& asking, Gathered& gathered) {
  Core& core = asking.core;
  const TaskView& view = *gathered.view;
  OpenAuction* auction = book_.find(view.task->id);
  if (!auction) return;
  if (auction->ask_again <= core.now.mono) {
    book_.end_round(view.task->id);
    bundles_.drop_bids(view.task->id);
    gathered = book_.gather(asking, view);
    return;
  }
  if (auction->ask_again == never) auction->ask_again = core.now.mono + ask_again_after;
  settle_at(auction->ask_again);
  if (std::exchange(auction->recorded, true)) return;
  Auction record = record_of(core, gathered, auction->opened_at);
  record.id = AuctionId{core.board.counters().auction.value + 1};
  record.why = reason_for_nobody(gathered);
  const WallTime again = core.now.wall + (auction->ask_again - core.now.mono);
  core.emit(AuctionFailed{record.task, std::move(record), again});
}

/// The bids, agents and bundles of a round whose tasks are known.
void AuctionCoordinator::fill_in(Asking& asking, Round& round) const {
  Problem& problem = round.problem;
  const Core& core = asking.core;
  const Config& config = core.board.config();
  problem.weights = {config.seconds_weight, config.price_weight};
  if (round.all.empty()) return;
  for (const Gathered& gathered : round.all)
    for (const RecordedBid& bid : gathered.bids)
      problem.bids.push_back({gathered.view->task->id, bid.agent, bid.corrected_seconds, bid.score});
  for (const AgentView& view : asking.situation.agents) {
    problem.agents.push_back({view.agent->id, slots_free_in(core, view)});
    const auto& free_in = problem.agents.back().slot_free_in;
    round.next_slot[view.agent->id] = free_in.empty() ? 0 : free_in.front();
  }
  if (config.mechanism == "combinatorial")
    round.bundles = bundles_.offers(asking, problem, singles_of(core, round.all));
  for (const auto& [agent, said, bid] : round.bundles)
    problem.bundles.push_back({agent, said.tasks, bid.seconds, work_score(bid, problem.weights)});
}

/// Awards what the mechanism decided. Returns whether there was anything to award.
bool AuctionCoordinator::clear(Core& core, const Round& round, bool sampled) {
  if (round.problem.tasks.empty()) return false;
  const Result<Mechanism> mechanism = find_mechanism(core.board.config().mechanism);
  BB_CHECK(mechanism.has_value(), "a stored configuration names a known mechanism");
  bool awarded = false;
  for (const Award& won : (*mechanism)(round.problem).awards) {
    if (won.start_in > 0) {  // reserved: decided again at the next event, awarded when the slot is free
      review_in(core, won.start_in);
      if (!sampled) continue;
      for (const ScoredBid& bid : round.problem.bids)
        if (bid.task == won.task && bid.agent == won.agent)
          reserved_seconds_[won.agent].push_back(bid.seconds);
      continue;
    }
    // The agent may rest since it bid, or an award before this one used up what its account may do.
    const Agent& winner = *core.board.agent(won.agent);
    if (!has_free_slot(core, winner) || unfit(core, winner.profile)) continue;
    awarded = true;
    if (won.bundle.empty())
      award_single(core, round, won);
    else
      award_bundle(core, round, won);
  }
  return awarded;
}

WallTime AuctionCoordinator::opened_at(TaskId task) {
  const OpenAuction* auction = book_.find(task);
  return auction ? auction->opened_at : WallTime{};
}

void AuctionCoordinator::award_single(Core& core, const Round& round, const Award& won) {
  const Gathered& gathered = round.gathered(won.task);
  const auto bid = std::ranges::find(gathered.bids, won.agent, &RecordedBid::agent);
  const Promise promise{{bid->seconds, bid->price, bid->confidence}, bid->corrected_seconds, core.now.mono};
  award(core, *gathered.view->task, *core.board.agent(won.agent),
        record_of(core, gathered, opened_at(won.task), won, round.next_slot), promise);
}

/// Awards the first task of a bundle; the recorded winning bid is its even share.
void AuctionCoordinator::award_bundle(Core& core, const Round& round, const Award& won) {
  const BundleOffer& offer = *std::ranges::find_if(round.bundles, [&](const BundleOffer& o) {
    return o.agent == won.agent && o.said.tasks == won.bundle;
  });
  const BidVector share = share_of(offer.said);
  const auto size = static_cast<Micros>(won.bundle.size());
  WonBundle bundle{offer.said, offer.believed.seconds / size, 0, won.agent, won.task, {}, {}};
  const Micros score = work_score(offer.believed, round.problem.weights);
  bundle.score = score / size;
  for (const ClearingTask& task : round.problem.tasks)
    if (task.id != won.task && std::ranges::binary_search(won.bundle, task.id))
      bundle.left.push_back(task.id);
  Gathered gathered = round.gathered(won.task);
  std::erase_if(gathered.bids, [&](const RecordedBid& bid) { return bid.agent == won.agent; });
  gathered.bids.push_back(
      {won.agent, share.seconds, share.price, share.confidence, bundle.corrected_seconds, 0, bundle.score});
  const Agent& agent = *core.board.agent(won.agent);
  Auction record = record_of(core, gathered, opened_at(won.task), won, round.next_slot);
  record.bundle = won.bundle;
  record.why = fmt::format("{} takes {} together, for {} in all", agent.profile.name, listed(won.bundle),
                           format_micros(score));
  const Promise promise{share, bundle.corrected_seconds, core.now.mono};
  if (!award(core, *gathered.view->task, agent, std::move(record), promise)) return;
  bundle.epoch = core.board.task(won.task)->epoch;
  settle_at(core.now.mono);  // the bundle may become late although nothing else happens
  bundles_.begin(core, core.board.counters().auction, std::move(bundle));
}

void AuctionCoordinator::on_bids(Core& core, AgentId agent, const Bids& message) {
  book_.wait_for(agent);
  for (const Bid& bid : message.bids) {
    if (!book_.is_invited(agent, bid.task)) continue;
    if (!bid.with.empty()) {
      bundles_.keep_bid(book_, agent, bid);
      core.wake();
    } else if (book_.on_bid(agent, bid)) {
      core.wake();  // nothing can be decided while other bids are awaited
    }
  }
}

/// A round without a bid is over: other agents are drawn.
std::vector<AgentId> AuctionCoordinator::asked_already(Core& core, TaskId task) {
  const OpenAuction* auction = book_.find(task);
  if (!auction) return {};
  if (auction->ask_again > core.now.mono) return {auction->invited.begin(), auction->invited.end()};
  book_.end_round(task);
  return {};
}

/// Tasks that were reserved for the agent in an earlier piece of the same walk come first.
void AuctionCoordinator::add_reserved(AgentId agent, std::vector<Micros>& free_in) const {
  const auto queue = reserved_seconds_.find(agent);
  if (queue == reserved_seconds_.end()) return;
  for (const Micros seconds : queue->second) {
    free_in.front() += std::max<Micros>(seconds, 1);
    std::ranges::sort(free_in);
  }
}

}  // namespace

std::unique_ptr<Coordinator> make_auction() { return std::make_unique<AuctionCoordinator>(); }

}  // namespace bidboard
