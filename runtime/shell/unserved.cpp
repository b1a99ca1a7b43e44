#include "runtime/shell/unserved.hpp"

#include "auction/calibration.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"
#include "runtime/coordination/strategy.hpp"

namespace bidboard {

Result<KnownPrices> KnownPrices::of(const BoardView& board) {
  const Result<Config> config = board.config();
  if (!config) return fail(config.error());
  KnownPrices known;
  const Result<std::unique_ptr<Coordinator>> coordinator = make_coordinator(*config);
  known.bids_decide_ = coordinator && (*coordinator)->asks_for_prices();
  if (!known.bids_decide_ || !config->calibrate) return known;
  Result<std::map<std::string, Calibration>> records = board.calibrations();
  if (!records) return fail(records.error());
  known.records_ = std::move(*records);
  return known;
}

std::optional<Refusal> KnownPrices::against(const TaskSpec& spec, std::uint32_t attempts_made,
                                            const Agent& agent) const {
  if (bids_decide_ ? agent.profile.bids == BidStyle::live : spec.budget <= 0) return {};
  const auto record = records_.find(keys::calibration(agent.id, spec.kind));
  if (record == records_.end()) return against_own_bid(spec, attempts_made, agent.profile);
  const Result<BidVector> bid = own_bid(spec, attempts_made, agent.profile);
  return bid ? over_budget(spec, corrected(*bid, record->second))
             : Refusal{RefusalReason::invalid, bid.error().text};
}

std::optional<std::string> why_unserved(const TaskSpec& spec, std::uint32_t attempts_made,
                                        const std::vector<Agent>& agents, const KnownPrices& prices) {
  // The rule that the nearest agent breaks says most: one that lacks a skill is nearer than a manager.
  std::optional<std::pair<bool, std::string>> nearest;
  for (const Agent& agent : agents) {
    if (agent.state != AgentState::live) continue;
    std::optional<Refusal> refusal = unable(spec, agent.profile);
    const bool is_able = !refusal;
    if (is_able) refusal = prices.against(spec, attempts_made, agent);
    if (!refusal) return {};
    const bool near = is_able || refusal->reason == RefusalReason::skill ||
                      refusal->reason == RefusalReason::run || refusal->reason == RefusalReason::environment;
    if (!nearest || (near && !nearest->first))
      nearest.emplace(near,
                      fmt::format("{}{} {}", agent.profile.name,
                                  refusal->reason == RefusalReason::invalid ? "'s" : "", refusal->detail));
  }
  return nearest ? nearest->second : "no agent is connected";
}

}  // namespace bidboard
