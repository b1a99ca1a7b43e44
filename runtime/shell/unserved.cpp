#include "runtime/shell/unserved.hpp"

#include "blackboard/fmt.hpp"

namespace bidboard {

std::optional<Refusal> priced_out(const TaskSpec& spec, std::uint32_t attempts_made, const Agent& agent,
                                  const Config& config) {
  const bool bids_decide = config.strategy == "auction";
  if (bids_decide ? agent.profile.bids == BidStyle::live : spec.budget <= 0) return {};
  std::optional<Refusal> refusal = against_own_bid(spec, attempts_made, agent.profile);
  // An auction corrects a price by what earlier ones were worth.
  const bool is_known = agent.finished + agent.failed > 0;
  if (refusal && refusal->reason == RefusalReason::budget && bids_decide && is_known) return {};
  return refusal;
}

std::optional<std::string> why_unserved(const TaskSpec& spec, std::uint32_t attempts_made,
                                        const std::vector<Agent>& agents, const Config& config) {
  // The rule that the nearest agent breaks says most: one that lacks a skill is nearer than a manager.
  std::optional<std::pair<bool, std::string>> nearest;
  for (const Agent& agent : agents) {
    if (agent.state != AgentState::live) continue;
    std::optional<Refusal> refusal = unable(spec, agent.profile);
    const bool is_able = !refusal;
    if (is_able) refusal = priced_out(spec, attempts_made, agent, config);
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
