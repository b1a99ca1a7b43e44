// Tasks that no agent can have: they would wait for ever without a word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auction/eligibility.hpp"
#include "blackboard/records.hpp"

namespace bidboard {

/// Why the agent gets no such task, although it could do it, as far as its price tells without asking it: its
/// cost formula refuses, or it is too dear. Nothing: it may get it.
std::optional<Refusal> priced_out(const TaskSpec& spec, std::uint32_t attempts_made, const Agent& agent,
                                  const Config& config);
/// Why none of the agents that are connected can have such a task: "scout1 needs cpp, has search", or "no
/// agent is connected". Nothing: one can, though it may be busy.
std::optional<std::string> why_unserved(const TaskSpec& spec, std::uint32_t attempts_made,
                                        const std::vector<Agent>& agents, const Config& config);

}  // namespace bidboard
