// Tasks that no agent can have: they would wait for ever without a word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "auction/eligibility.hpp"
#include "blackboard/records.hpp"

namespace bidboard {

/// Whether the board's strategy awards by the prices that agents ask.
bool bids_decide(const Config& config);
/// Why the agent gets no such task, although it could do it, as far as its price tells without asking it: its
/// cost formula refuses, or it is too dear. Nothing: it may get it. `by_bids`: bids_decide().
std::optional<Refusal> priced_out(const TaskSpec& spec, std::uint32_t attempts_made, const Agent& agent,
                                  bool by_bids);
/// Why none of the agents that are connected can have such a task: "scout1 needs cpp, has search", or "no
/// agent is connected". Nothing: one can, though it may be busy.
std::optional<std::string> why_unserved(const TaskSpec& spec, std::uint32_t attempts_made,
                                        const std::vector<Agent>& agents, bool by_bids);

}  // namespace bidboard
