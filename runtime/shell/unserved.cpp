#include "runtime/shell/unserved.hpp"

#include "blackboard/fmt.hpp"
#include "runtime/coordination/strategy.hpp"

namespace bidboard {

bool bids_decide(const Config& config) {
  const Result<std::unique_ptr<Coordinator>> coordinator = make_coordinator(config);
  return coordinator && (*coordinator)->asks_for_prices();
}

std::optional<Refusal> priced_out(const TaskSpec& spec, std::uint32_t attempts_made, const Agent& agent,
                                  bool by_bids) {
  if (by_bids ? agent.profile.bids == BidStyle::live : spec.budget <= 0) return {};
  std::optional<Refusal> refusal = against_own_bid(spec, attempts_made, agent.profile);
  // An auction corrects a price by what earlier ones were worth.
  const bool is_known = agent.finished + agent.failed > 0;
  if (refusal && refusal->reason == RefusalReason::budget && by_bids && is_known) return {};
  return refusal;
}

std::optional<std::string> why_unserved(const TaskSpec& spec, std::uint32_t attempts_made,
                                        const std::vector<Agent>& agents, bool by_bids) {
  // The rule that the nearest agent breaks says most: one that lacks a skill is nearer than a manager.
  std::optional<std::pair<bool, std::string>> nearest;
  for (const Agent& agent : agents) {
    if (agent.state != AgentState::live) continue;
    std::optional<Refusal> refusal = unable(spec, agent.profile);
    const bool is_able = !refusal;
    if (is_able) refusal = priced_out(spec, attempts_made, agent, by_bids);
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
