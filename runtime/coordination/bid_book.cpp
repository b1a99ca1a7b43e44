#include "runtime/coordination/bid_book.hpp"

#include <algorithm>
#include <utility>

#include "auction/calibration.hpp"
#include "auction/eligibility.hpp"
#include "auction/scoring.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

constexpr std::size_t recorded_names = 8;

/// Why an agent is not asked.
void pass_over(const Core& core, const Agent& agent, Gathered& gathered) {
  const auto against = objection(core, *gathered.view->task, agent);
  gathered.refuse(agent.id,
                  against ? *against : Refusal{RefusalReason::failed_before, "failed this task before"});
}

}  // namespace

void Gathered::refuse(AgentId agent, const Refusal& refusal) {
  RecordedRefusal& entry = refusals[refusal.reason];
  entry.reason = refusal.reason;
  if (entry.count++ == 0) entry.detail = refusal.detail;
  if (entry.agents.size() == recorded_names) return;
  if (entry.details.empty() && refusal.detail != entry.detail)
    entry.details.assign(entry.agents.size(), entry.detail);
  if (!entry.details.empty()) entry.details.push_back(refusal.detail);
  entry.agents.push_back(agent);
}

BidVector Asking::believed(AgentId agent, const TaskSpec& task, const BidVector& said) {
  if (!core.board.config().calibrate) return said;
  const auto [known, fresh] = experience.try_emplace(agent);
  if (fresh || known->second.kind != task.kind) known->second = core.board.calibration(agent, task.kind);
  return corrected(said, known->second);
}

/// The agents that are asked for live bids on this task. The first call sends the question to all of them.
OpenAuction& BidBook::open(Asking& asking, const TaskView& view) {
  Core& core = asking.core;
  const TaskId id = view.task->id;
  const auto [it, fresh] = auctions_.try_emplace(id);
  OpenAuction& auction = it->second;
  if (fresh) {
    auction.opened_at = core.now.wall;
    if (view.task->state == TaskState::ready) core.emit(TaskMoved{id, TaskState::offered, {}});
  }
  std::vector<AgentId> asked;
  for (const std::size_t i : view.eligible) {
    const Agent& agent = *asking.situation.agents[i].agent;
    if (agent.profile.bids != BidStyle::live || auction.invited.contains(agent.id)) continue;
    asking.announcements[agent.id].offers.push_back(offer_of(*view.task));
    asked.push_back(agent.id);
  }
  if (asked.empty()) return auction;
  if (!fresh) unlist(id, auction);
  auction.invited.insert(asked.begin(), asked.end());
  auction.recorded = false;
  // Also when another agent was asked later.
  auction.deadline = core.now.mono + core.board.config().bid_timeout;
  auction.overdue = false;
  list(id, auction);
  return auction;
}

const BidAnswer& BidBook::formula_answer(const Task& task, const Agent& agent) {
  const auto [known, fresh] = formula_bids_[task.id].try_emplace(agent.id);
  if (!fresh) return known->second;
  const Result<BidVector> bid = formula_bid(task.spec, task.attempts, agent.profile);
  return known->second = bid ? checked(*bid) : BidAnswer{Refusal{RefusalReason::invalid, bid.error().text}};
}

BidAnswer BidBook::answer_of(Asking& asking, const Agent& agent, Gathered& gathered, bool& waits) {
  Core& core = asking.core;
  const TaskView& view = *gathered.view;
  switch (agent.profile.bids) {
    case BidStyle::standard:
      return standard_bid(view.task->spec, agent.profile);
    case BidStyle::formula:
      return formula_answer(*view.task, agent);
    case BidStyle::live:
      break;
  }
  if (!gathered.auction) gathered.auction = &open(asking, view);
  OpenAuction& auction = *gathered.auction;
  if (const auto answer = auction.answers.find(agent.id); answer != auction.answers.end())
    return answer->second;
  waits = core.now.mono < auction.deadline && !late_.contains(agent.id);
  if (waits) auction.awaited.insert(agent.id);
  return Refusal{RefusalReason::silent, fmt::format("no bid within {}", core.board.config().bid_timeout)};
}

/// The agent's bid, or why it has none that counts.
void BidBook::gather_from(Asking& asking, const Agent& agent, Gathered& gathered) {
  const TaskView& view = *gathered.view;
  const Config& config = asking.core.board.config();
  bool waits = false;
  const BidAnswer answer = answer_of(asking, agent, gathered, waits);
  if (waits) gathered.complete = false;
  if (const auto* refusal = std::get_if<Refusal>(&answer)) return gathered.refuse(agent.id, *refusal);
  const BidVector& said = std::get<BidVector>(answer);
  const BidVector bid = asking.believed(agent.id, view.task->spec, said);
  if (const auto against = over_budget(view.task->spec, bid)) return gathered.refuse(agent.id, *against);
  gathered.bids.push_back({agent.id, said.seconds, said.price, said.confidence, bid.seconds, 0,
                           work_score(bid, {config.seconds_weight, config.price_weight})});
}

Gathered BidBook::gather(Asking& asking, const TaskView& view) {
  const Situation& situation = asking.situation;
  Gathered gathered{&view, nullptr, {}, {}, true};
  gathered.bids.reserve(view.eligible.size());
  if (OpenAuction* auction = find(view.task->id)) auction->awaited.clear();
  if (situation.sampled) {  // the other agents were not considered at all
    for (const std::size_t i : view.eligible) gather_from(asking, *situation.agents[i].agent, gathered);
    for (const std::size_t i : view.failed) pass_over(asking.core, *situation.agents[i].agent, gathered);
    return gathered;
  }
  auto next = view.eligible.begin();
  for (std::size_t i = 0; i < situation.agents.size(); ++i) {
    const Agent& agent = *situation.agents[i].agent;
    if (next == view.eligible.end() || *next != i) {
      pass_over(asking.core, agent, gathered);
      continue;
    }
    ++next;
    gather_from(asking, agent, gathered);
  }
  return gathered;
}

bool BidBook::on_bid(AgentId agent, const Bid& bid) {
  OpenAuction& auction = auctions_.at(bid.task);
  const auto [answer, first] = auction.answers.insert_or_assign(
      agent, bid.refused ? BidAnswer{Refusal{RefusalReason::declined, bid.reason}}
                         : checked(BidVector{bid.seconds, bid.price, bid.confidence}));
  if (first) {
    auction.recorded = false;  // the record in the log lists the agent as silent
    if (auction.overdue)
      answered_late(agent);
    else if (auction.answers.size() == auction.invited.size())
      unanswered_.erase({auction.deadline, bid.task});
  }
  auction.awaited.erase(agent);
  return auction.awaited.empty();
}

bool BidBook::is_invited(AgentId agent, TaskId task) const {
  const auto auction = auctions_.find(task);
  return auction != auctions_.end() && auction->second.invited.contains(agent);
}

OpenAuction* BidBook::find(TaskId task) {
  const auto auction = auctions_.find(task);
  return auction == auctions_.end() ? nullptr : &auction->second;
}

void BidBook::note_late(const Core& core) {
  if (pass_deadlines(core.now.mono)) passed_ = true;
  for (const auto& [agent, auctions] : behind_)
    if (core.sessions.contains(agent)) late_.insert(agent);
}

bool BidBook::tick(Instant now) {
  const bool earlier = std::exchange(passed_, false);
  return pass_deadlines(now) || earlier;
}

bool BidBook::pass_deadlines(Instant now) {
  bool some = false;
  while (!running_.empty() && running_.begin()->first <= now) {
    const TaskId task = running_.begin()->second;
    OpenAuction& auction = auctions_.at(task);
    unlist(task, auction);
    auction.overdue = true;
    list(task, auction);
    some = true;
  }
  return some;
}

Instant BidBook::next_deadline() const { return unanswered_.empty() ? never : unanswered_.begin()->first; }

void BidBook::list(TaskId task, const OpenAuction& auction) {
  if (!auction.overdue) {
    running_.emplace(auction.deadline, task);
    if (auction.answers.size() < auction.invited.size()) unanswered_.emplace(auction.deadline, task);
    return;
  }
  for (const AgentId agent : auction.invited)
    if (!auction.answers.contains(agent)) ++behind_[agent];
}

void BidBook::unlist(TaskId task, const OpenAuction& auction) {
  if (!auction.overdue) {
    running_.erase({auction.deadline, task});
    unanswered_.erase({auction.deadline, task});
    return;
  }
  for (const AgentId agent : auction.invited)
    if (!auction.answers.contains(agent)) answered_late(agent);
}

/// It owes an answer in one overdue auction less.
void BidBook::answered_late(AgentId agent) {
  const auto owes = behind_.find(agent);
  if (--owes->second == 0) behind_.erase(owes);
}

void BidBook::end_round(TaskId task) {
  const auto auction = auctions_.find(task);
  if (auction == auctions_.end()) return;
  unlist(task, auction->second);
  auctions_.erase(auction);
}

void BidBook::forget(AgentId agent) {
  for (auto& [task, auction] : auctions_) {
    if (!auction.invited.contains(agent)) continue;
    unlist(task, auction);
    auction.forget(agent);
    list(task, auction);
  }
  for (auto& [task, bids] : formula_bids_) bids.erase(agent);
}

void BidBook::clear() {
  auctions_.clear();
  formula_bids_.clear();
  running_.clear();
  unanswered_.clear();
  behind_.clear();
  passed_ = false;
}

}  // namespace bidboard
