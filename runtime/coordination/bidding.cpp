// Auctions: who is asked, whose answers count, and how the gathered bids are cleared.
#include <algorithm>
#include <deque>
#include <utility>

#include "auction/calibration.hpp"
#include "auction/clearing.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/checks/check.hpp"
#include "runtime/coordination/agreement.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

constexpr std::size_t recorded_bids = 8;
constexpr std::size_t recorded_names = 8;
/// A reservation is looked at again after this long at the soonest and the latest, should nothing else
/// happen.
constexpr Duration soonest_review = milliseconds(100);
constexpr Duration latest_review = seconds(5);
/// When nobody bids for a task, everybody is asked again after this long: what stood in the way may be gone.
constexpr Duration ask_again_after = seconds(30);

/// One task's bids on their way to clearing.
struct Gathered {
  const TaskView* view = nullptr;
  std::vector<RecordedBid> bids;  ///< score without the wait until recorded
  std::map<RefusalReason, RecordedRefusal> refusals;
  bool complete = true;  ///< everybody who is waited for has answered

  void refuse(AgentId agent, const Refusal& refusal) {
    RecordedRefusal& entry = refusals[refusal.reason];
    entry.reason = refusal.reason;
    if (entry.count++ == 0) entry.detail = refusal.detail;
    if (entry.agents.size() == recorded_names) return;
    if (entry.details.empty() && refusal.detail != entry.detail)
      entry.details.assign(entry.agents.size(), entry.detail);
    if (!entry.details.empty()) entry.details.push_back(refusal.detail);
    entry.agents.push_back(agent);
  }
};

/// What one clearing is about.
struct Round {
  std::vector<Gathered> all;  ///< by task, in the order of the problem's
  std::vector<BundleOffer> bundles;
  std::map<AgentId, Micros> next_slot;  ///< when each agent could begin something
  Problem problem;

  const Gathered& gathered(TaskId task) const {
    return *std::find_if(all.begin(), all.end(), [&](const Gathered& g) { return g.view->task->id == task; });
  }
};

/// While bids are gathered.
struct Asking {
  Core& core;
  const Situation& situation;
  std::map<AgentId, Announcement> announcements = {};  ///< what each agent is to be asked
  std::map<AgentId, Calibration> experience = {};      ///< of the kind of task that was looked at last

  BidVector believed(AgentId agent, const TaskSpec& task, const BidVector& said) {
    if (!core.board.config().calibrate) return said;
    const auto [known, fresh] = experience.try_emplace(agent);
    if (fresh || known->second.kind != task.kind) known->second = core.board.calibration(agent, task.kind);
    return corrected(said, known->second);
  }
};

Micros to_span(Duration d) { return d.us; }  // a micro-second is the micro-unit of a second

/// The agents that are asked for live bids on this task, all of them told on the first call.
OpenAuction& open_auction(Asking& asking, const TaskView& view) {
  Core& core = asking.core;
  const TaskId id = view.task->id;
  const auto [it, fresh] = core.auctions.try_emplace(id);
  OpenAuction& auction = it->second;
  if (fresh) {
    auction.opened_at = core.now.wall;
    if (view.task->state == TaskState::ready) core.emit(TaskMoved{id, TaskState::offered, {}});
  }
  for (const std::size_t i : view.eligible) {
    const Agent& agent = *asking.situation.agents[i].agent;
    if (agent.profile.bids != BidStyle::live || !auction.invited.insert(agent.id).second) continue;
    asking.announcements[agent.id].offers.push_back(offer_of(*view.task));
    auction.recorded = false;
    auction.deadline =
        core.now.mono + core.board.config().bid_timeout;  // also when somebody new was asked later
    auction.overdue = false;
  }
  return auction;
}

const BidAnswer& formula_answer(Core& core, const Task& task, const Agent& agent) {
  const auto [known, fresh] = core.formula_bids[task.id].try_emplace(agent.id);
  if (!fresh) return known->second;
  const Result<BidVector> bid = formula_bid(task.spec, task.attempts, agent.profile);
  return known->second = bid ? checked(*bid) : BidAnswer{Refusal{RefusalReason::invalid, bid.error().text}};
}

BidAnswer answer_of(Asking& asking, const TaskView& view, const Agent& agent, bool& waits) {
  Core& core = asking.core;
  switch (agent.profile.bids) {
    case BidStyle::standard:
      return standard_bid(view.task->spec, agent.profile);
    case BidStyle::formula:
      return formula_answer(core, *view.task, agent);
    case BidStyle::live:
      break;
  }
  OpenAuction& auction = open_auction(asking, view);
  if (const auto answer = auction.answers.find(agent.id); answer != auction.answers.end())
    return answer->second;
  const Session& session = core.sessions.at(agent.id);
  waits = core.now.mono < auction.deadline && !session.answers_late;
  if (waits) auction.awaited.insert(agent.id);
  return Refusal{RefusalReason::silent, "no bid within " + format_duration(core.board.config().bid_timeout)};
}

/// Its bid, or why it made none that counts.
void gather_from(Asking& asking, const Agent& agent, Gathered& gathered) {
  const TaskView& view = *gathered.view;
  const Config& config = asking.core.board.config();
  bool waits = false;
  const BidAnswer answer = answer_of(asking, view, agent, waits);
  if (waits) gathered.complete = false;
  if (const auto* refusal = std::get_if<Refusal>(&answer)) return gathered.refuse(agent.id, *refusal);
  const BidVector& said = std::get<BidVector>(answer);
  const BidVector bid = asking.believed(agent.id, view.task->spec, said);
  if (const auto against = over_budget(view.task->spec, bid)) return gathered.refuse(agent.id, *against);
  gathered.bids.push_back({agent.id, said.seconds, said.price, said.confidence, bid.seconds, 0,
                           work_score(bid, {config.seconds_weight, config.price_weight})});
}

/// Why an agent is not asked.
void pass_over(const Agent& agent, Gathered& gathered) {
  const auto against = ineligible(*gathered.view->task, agent);
  gathered.refuse(agent.id,
                  against ? *against : Refusal{RefusalReason::failed_before, "failed this task before"});
}

Gathered gather(Asking& asking, const TaskView& view) {
  const Situation& situation = asking.situation;
  Gathered gathered{&view, {}, {}, true};
  if (const auto open = asking.core.auctions.find(view.task->id); open != asking.core.auctions.end())
    open->second.awaited.clear();
  if (situation.sampled) {  // of all others, nobody was even considered
    for (const std::size_t i : view.eligible) gather_from(asking, *situation.agents[i].agent, gathered);
    for (const std::size_t i : view.failed) pass_over(*situation.agents[i].agent, gathered);
    return gathered;
  }
  auto next = view.eligible.begin();
  for (std::size_t i = 0; i < situation.agents.size(); ++i) {
    const Agent& agent = *situation.agents[i].agent;
    if (next == view.eligible.end() || *next != i) {
      pass_over(agent, gathered);
      continue;
    }
    ++next;
    gather_from(asking, agent, gathered);
  }
  return gathered;
}

std::string reason_for(const Core& core, const RecordedBid& winner, const std::vector<RecordedBid>& ranked) {
  const auto named = [&](AgentId id) { return core.board.agent(id)->profile.name; };
  if (ranked.size() == 1) return named(winner.agent) + " was the only one to bid";
  const RecordedBid& other = ranked[0].agent == winner.agent ? ranked[1] : ranked[0];
  const std::string scores =
      format_micros(winner.score) + " against " + format_micros(other.score) + " of " + named(other.agent);
  if (winner.score == other.score)
    return named(winner.agent) + " and " + named(other.agent) + " had the same score, " +
           format_micros(winner.score) + "; the one with less to do wins, else the one registered first";
  if (winner.score < other.score) return named(winner.agent) + " had the best score, " + scores;
  return named(winner.agent) + " was next: " + named(other.agent) +
         " has the better score but is needed elsewhere first (" + scores + ")";
}

/// The record as far as it does not depend on a winner.
Auction record_of(const Core& core, const Gathered& gathered) {
  const Config& config = core.board.config();
  Auction record;
  record.task = gathered.view->task->id;
  record.mechanism = config.mechanism;
  const auto open = core.auctions.find(record.task);
  record.opened_at = open != core.auctions.end() ? open->second.opened_at : core.now.wall;
  record.closed_at = core.now.wall;
  record.calibrated = config.calibrate;
  for (const auto& [reason, refusal] : gathered.refusals) record.refusals.push_back(refusal);
  return record;
}

Auction record_of(const Core& core, const Gathered& gathered, const Award& award,
                  const std::map<AgentId, Micros>& next_slot) {
  const Config& config = core.board.config();
  Auction record = record_of(core, gathered);
  record.winner = award.agent;
  record.price = award.price;
  record.bids = gathered.bids;
  record.bid_count = static_cast<std::uint32_t>(gathered.bids.size());
  RecordedBid winner;
  for (RecordedBid& bid : record.bids) {
    bid.wait = next_slot.at(bid.agent);
    bid.score += wait_score(bid.wait, {config.seconds_weight, config.price_weight});
    if (bid.agent == award.agent) winner = bid;
  }
  std::sort(record.bids.begin(), record.bids.end(), [](const RecordedBid& a, const RecordedBid& b) {
    return std::pair(a.score, a.agent) < std::pair(b.score, b.agent);
  });
  record.why = reason_for(core, winner, record.bids);
  if (record.bids.size() > recorded_bids) {
    record.bids.resize(recorded_bids);
    const bool kept = std::any_of(record.bids.begin(), record.bids.end(),
                                  [&](const RecordedBid& bid) { return bid.agent == award.agent; });
    if (!kept) record.bids.back() = winner;
  }
  return record;
}

/// "nobody bid: of 3 asked, 2 declined and 1 was silent"
std::string reason_for_nobody(const Gathered& gathered) {
  const auto count = [&](RefusalReason reason) {
    const auto found = gathered.refusals.find(reason);
    return found == gathered.refusals.end() ? 0u : found->second.count;
  };
  const std::uint32_t declined = count(RefusalReason::declined);
  const std::uint32_t silent = count(RefusalReason::silent);
  const std::uint32_t invalid = count(RefusalReason::invalid) + count(RefusalReason::budget);
  std::string text;
  const auto add = [&](std::uint32_t number, const char* what) {
    if (number > 0) text += (text.empty() ? "" : ", ") + std::to_string(number) + what;
  };
  add(declined, " declined");
  add(silent, " did not answer");
  add(invalid, " made a bid that does not count");
  return "nobody bid: " + text;
}

void record_failure(Core& core, const Gathered& gathered, OpenAuction& auction) {
  if (std::exchange(auction.recorded, true)) return;
  Auction record = record_of(core, gathered);
  record.id = AuctionId{core.board.counters().auction.value + 1};
  record.why = reason_for_nobody(gathered);
  core.emit(
      AuctionFailed{record.task, std::move(record), core.now.wall + (auction.ask_again - core.now.mono)});
}

/// Gathers again once everybody declined or was silent long enough ago.
void ask_again(Asking& asking, Gathered& gathered) {
  Core& core = asking.core;
  const TaskView& view = *gathered.view;
  const auto open = core.auctions.find(view.task->id);
  if (open == core.auctions.end()) return;
  if (open->second.ask_again <= core.now.mono) {
    core.auctions.erase(open);
    drop_bundle_bids(core, view.task->id);
    gathered = gather(asking, view);
    return;
  }
  if (open->second.ask_again == never) open->second.ask_again = core.now.mono + ask_again_after;
  core.settle_again = std::min(core.settle_again, open->second.ask_again);
  record_failure(core, gathered, open->second);
}

/// When nobody else bids, those that failed the task before are better than nobody.
void ask_who_failed(Asking& asking, Gathered& gathered, std::deque<TaskView>& views) {
  if (!gathered.refusals.contains(RefusalReason::failed_before)) return;
  const TaskView& before = *gathered.view;
  TaskView view = before;
  view.failed.clear();
  for (const std::size_t i : before.failed)
    if (!ineligible(*view.task, *asking.situation.agents[i].agent)) view.eligible.push_back(i);
  std::ranges::sort(view.eligible);
  gathered = gather(asking, views.emplace_back(std::move(view)));
  // Should one of the others bid after all, they need not be waited for.
  if (const auto open = asking.core.auctions.find(before.task->id); open != asking.core.auctions.end())
    open->second.awaited.clear();
}

/// Further pieces of the walk find the agent's slot taken for as long as the reserved task needs.
void queue_up(Core& core, const Problem& problem, const Award& reserved) {
  for (const ScoredBid& bid : problem.bids)
    if (bid.task == reserved.task && bid.agent == reserved.agent)
      core.queued[reserved.agent].push_back(bid.seconds);
}

/// The bids that the controller worked out for agents that save set-up cost.
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

/// Those for which bids are still awaited.
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

/// The bids, agents and bundles of a round whose tasks are known.
void fill_in(const Core& core, const Situation& situation, Round& round) {
  Problem& problem = round.problem;
  const Config& config = core.board.config();
  problem.weights = {config.seconds_weight, config.price_weight};
  if (round.all.empty()) return;
  for (const Gathered& gathered : round.all)
    for (const RecordedBid& bid : gathered.bids)
      problem.bids.push_back({gathered.view->task->id, bid.agent, bid.corrected_seconds, bid.score});
  for (const AgentView& view : situation.agents) {
    problem.agents.push_back({view.agent->id, slots_free_in(core, view)});
    const auto& free_in = problem.agents.back().slot_free_in;
    round.next_slot[view.agent->id] = free_in.empty() ? 0 : free_in.front();
  }
  if (config.mechanism == "combinatorial")
    round.bundles = bundles_for(core, situation, problem, singles_of(core, round.all));
  for (const auto& [agent, said, bid] : round.bundles)
    problem.bundles.push_back({agent, said.tasks, bid.seconds, work_score(bid, problem.weights)});
}

bool is_offered(const Round& round, TaskId task) {
  return std::any_of(round.bundles.begin(), round.bundles.end(), [&](const BundleOffer& offer) {
    return std::ranges::binary_search(offer.said.tasks, task);
  });
}

void award_single(Core& core, const Round& round, const Award& won) {
  const Gathered& gathered = round.gathered(won.task);
  const auto bid = std::find_if(gathered.bids.begin(), gathered.bids.end(),
                                [&](const RecordedBid& b) { return b.agent == won.agent; });
  const Promise promise{{bid->seconds, bid->price, bid->confidence}, bid->corrected_seconds, core.now.mono};
  award(core, *gathered.view->task, *core.board.agent(won.agent),
        record_of(core, gathered, won, round.next_slot), false);
  core.promises[won.task] = promise;
}

/// Awards the first task of a bundle, which stands as the winner's bid with its even share.
void award_bundle(Core& core, const Round& round, const Award& won) {
  const BundleOffer& offer =
      *std::find_if(round.bundles.begin(), round.bundles.end(),
                    [&](const BundleOffer& o) { return o.agent == won.agent && o.said.tasks == won.bundle; });
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
  Auction record = record_of(core, gathered, won, round.next_slot);
  record.bundle = won.bundle;
  record.why = agent.profile.name + " takes " + listed(won.bundle) + " together, for " +
               format_micros(score) + " in all";
  bundle.epoch = award(core, *gathered.view->task, agent, std::move(record), false).epoch;
  core.promises[won.task] = Promise{share, bundle.corrected_seconds, core.now.mono};
  begin_bundle(core, core.board.counters().auction, std::move(bundle));
}

}  // namespace

/// A task past its promise is guessed to need as long again as it is late.
std::vector<Micros> slots_free_in(const Core& core, const AgentView& view) {
  std::vector<Micros> free_in(view.free_slots, 0);
  for (const TaskId id : core.board.holdings(view.agent->id)) {
    const auto promise = core.promises.find(id);
    Micros expected = 0;
    Micros elapsed = 0;
    if (promise != core.promises.end()) {
      expected = promise->second.corrected_seconds;
      elapsed = to_span(core.now.mono - promise->second.awarded_at);
    } else {
      const Task& task = *core.board.task(id);
      expected = standard_bid(task.spec, view.agent->profile).seconds;
      elapsed = std::max<Micros>(0, to_span(core.now.wall - task.awarded_at));
    }
    free_in.push_back(std::max({expected - elapsed, elapsed - expected, expected / 10, Micros{1}}) +
                      seconds_behind(core, id));
  }
  if (free_in.size() > view.agent->profile.capacity) free_in.resize(view.agent->profile.capacity);
  std::sort(free_in.begin(), free_in.end());
  // What was reserved for it in an earlier piece of the same walk comes first.
  if (const auto queue = core.queued.find(view.agent->id); queue != core.queued.end() && !free_in.empty())
    for (const Micros seconds : queue->second) {
      free_in.front() += std::max<Micros>(seconds, 1);
      std::sort(free_in.begin(), free_in.end());
    }
  return free_in;
}

void review_in(Core& core, Micros wait) {
  core.settle_again =
      std::min(core.settle_again, core.now.mono + std::clamp(Duration{wait}, soonest_review, latest_review));
}

void settle_by_bids(Core& core, const Situation& situation) {
  Asking asking{core, situation};
  Round round;
  const Config& config = core.board.config();
  const bool bundled = config.mechanism == "combinatorial";
  std::deque<TaskView> widened;
  std::vector<Gathered> gathered_all;
  for (const TaskView& view : situation.tasks) {
    Gathered& gathered = gathered_all.emplace_back(gather(asking, view));
    if (gathered.complete && gathered.bids.empty()) ask_who_failed(asking, gathered, widened);
  }
  const std::set<TaskId> held =
      bundled ? held_by_bundles(core, incomplete(gathered_all)) : std::set<TaskId>{};
  for (Gathered& gathered : gathered_all) {
    const TaskId task = gathered.view->task->id;
    if (!gathered.complete || held.contains(task)) continue;
    if (gathered.bids.empty() && !(bundled && has_bundle_bid(core, task))) {
      ask_again(asking, gathered);
      if (!gathered.complete || gathered.bids.empty()) continue;
    }
    round.problem.tasks.push_back({task});
    round.all.push_back(std::move(gathered));
  }
  fill_in(core, situation, round);
  // Offered together with others, but not with these.
  for (Gathered& gathered : round.all)
    if (gathered.bids.empty() && !is_offered(round, gathered.view->task->id)) ask_again(asking, gathered);
  for (auto& [agent, announcement] : asking.announcements)
    core.send(core.sessions.at(agent).peer, std::move(announcement));
  // Whoever was silent until a deadline that has passed is not waited for again until it speaks.
  for (const auto& [task, auction] : core.auctions)
    if (auction.deadline <= core.now.mono)
      for (const AgentId agent : auction.invited)
        if (!auction.answers.contains(agent) && core.sessions.contains(agent))
          core.sessions[agent].answers_late = true;
  if (round.problem.tasks.empty()) return;

  const Result<Mechanism> mechanism = find_mechanism(config.mechanism);
  BB_CHECK(mechanism.has_value(), "a stored configuration names a known mechanism");
  for (const Award& won : (*mechanism)(round.problem).awards) {
    if (won.start_in > 0) {  // reserved: decided again at the next event, awarded when the slot is free
      review_in(core, won.start_in);
      if (situation.sampled) queue_up(core, round.problem, won);
    } else if (won.bundle.empty()) {
      award_single(core, round, won);
    } else {
      award_bundle(core, round, won);
    }
  }
}

void on_bids(Core& core, PeerId peer, const Bids& message) {
  const Agent* agent = authenticate(core, peer, message.agent, message.secret);
  if (!agent) return;
  core.sessions[agent->id].answers_late = false;
  for (const Bid& bid : message.bids) {
    const auto auction = core.auctions.find(bid.task);
    if (auction == core.auctions.end() || !auction->second.invited.contains(agent->id)) continue;
    if (!bid.with.empty()) {
      keep_bundle_bid(core, agent->id, bid);
      core.dispatch_wanted = true;
      continue;
    }
    const auto [answer, first] = auction->second.answers.insert_or_assign(
        agent->id, bid.refused ? BidAnswer{Refusal{RefusalReason::declined, bid.reason}}
                               : checked(BidVector{bid.seconds, bid.price, bid.confidence}));
    if (first) auction->second.recorded = false;  // what stands in the log calls it silent
    auction->second.awaited.erase(agent->id);
    // While others are waited for there is nothing to decide.
    if (auction->second.awaited.empty()) core.dispatch_wanted = true;
  }
}

void close_auction(Core& core, TaskId task, bool awarded) {
  core.auctions.erase(task);
  core.hierarchy.errands.erase(task);
  core.formula_bids.erase(task);
  drop_bundle_bids(core, task);
  // Should it come back, it is news again. Peers who plan ahead must know that it is gone.
  const bool agree = core.strategy->style() == Style::agree;
  for (auto& [agent, told] : core.announced)
    if (told.erase(task) > 0 && agree) take_back(core, agent, task, awarded);
}

}  // namespace bidboard
