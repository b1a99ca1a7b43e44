// Who may bid at all: hard rules, checked before any bid counts and again at the award.
#pragma once

#include <optional>

#include "auction/bid.hpp"

namespace bidboard {

/// Nothing when the agent may take the task, else the first rule against it: role, project, skill, run,
/// reserved. `run`: a task with a `run` command needs an agent with allow_run (or a simulated one). Does not
/// look at capacity: a busy agent is eligible and bids with its wait.
std::optional<Refusal> ineligible(const Task& task, const Agent& agent);
/// The part of it that is about what the agent is: role, project, skill, run.
std::optional<Refusal> unable(const TaskSpec& task, const AgentProfile& agent);
/// The rule that needs the bid: its price against the task's budget.
std::optional<Refusal> over_budget(const TaskSpec& task, const BidVector& bid);
/// Lowest level the agent has among the task's needed skills; `one` when the task needs none. A skill the
/// agent lacks counts as `one` (ineligible() has refused it before).
Micros skill_level(const TaskSpec& task, const AgentProfile& agent);

}  // namespace bidboard
