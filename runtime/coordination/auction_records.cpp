#include "runtime/coordination/auction_records.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::size_t recorded_bids = 8;

std::string reason_for(const Core& core, const RecordedBid& winner, const std::vector<RecordedBid>& ranked) {
  const auto named = [&](AgentId id) { return core.board.agent(id)->profile.name; };
  if (ranked.size() == 1) return named(winner.agent) + " was the only one to bid";
  const RecordedBid& other = ranked[0].agent == winner.agent ? ranked[1] : ranked[0];
  const std::string scores = fmt::format("{} against {} of {}", format_micros(winner.score),
                                         format_micros(other.score), named(other.agent));
  if (winner.score == other.score)
    return fmt::format(
        "{} and {} had the same score, {}; the one with less to do wins, else the one registered first",
        named(winner.agent), named(other.agent), format_micros(winner.score));
  if (winner.score < other.score)
    return fmt::format("{} had the best score, {}", named(winner.agent), scores);
  return fmt::format("{} was next: {} has the better score but is needed elsewhere first ({})",
                     named(winner.agent), named(other.agent), scores);
}

}  // namespace

Auction record_of(const Core& core, const Gathered& gathered, WallTime opened_at) {
  const Config& config = core.board.config();
  Auction record;
  record.task = gathered.view->task->id;
  record.mechanism = config.mechanism;
  record.opened_at = opened_at.us != 0 ? opened_at : core.now.wall;
  record.closed_at = core.now.wall;
  record.calibrated = config.calibrate;
  for (const auto& [reason, refusal] : gathered.refusals) record.refusals.push_back(refusal);
  return record;
}

Auction record_of(const Core& core, const Gathered& gathered, WallTime opened_at, const Award& award,
                  const std::map<AgentId, Micros>& next_slot) {
  const Config& config = core.board.config();
  Auction record = record_of(core, gathered, opened_at);
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
    if (number > 0) text += fmt::format("{}{}{}", text.empty() ? "" : ", ", number, what);
  };
  add(declined, " declined");
  add(silent, " did not answer");
  add(invalid, " made a bid that does not count");
  return "no bids: " + text;
}

}  // namespace bidboard
