#include "runtime/shell/unserved.hpp"

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {

std::optional<std::string> why_unserved(const TaskSpec& spec, const std::vector<Agent>& agents) {
  // The rule that the nearest agent breaks says most: one that lacks a skill is nearer than a manager.
  std::optional<std::pair<bool, std::string>> nearest;
  for (const Agent& agent : agents) {
    if (agent.state != AgentState::live) continue;
    const std::optional<Refusal> refusal = unable(spec, agent.profile);
    if (!refusal) return {};
    const bool near = refusal->reason == RefusalReason::skill || refusal->reason == RefusalReason::run ||
                      refusal->reason == RefusalReason::environment;
    if (!nearest || (near && !nearest->first))
      nearest.emplace(near, fmt::format("{} {}", agent.profile.name, refusal->detail));
  }
  return nearest ? nearest->second : "no agent is connected";
}

}  // namespace bidboard
