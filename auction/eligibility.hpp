// Which agents may bid at all: hard rules, checked before any bid counts and again at the award.
#pragma once

#include <optional>
#include <tuple>

#include "auction/bid.hpp"

namespace bidboard {

/// Nothing if the agent may take the task, else the first rule against it: workflow, role, project, skill,
/// run, environment, reserved. `workflow`: some agents work for one workflow only, and some tasks are left to
/// them. `run`: a task with a `run` command needs an agent with allow_run (or a simulated one), one without
/// needs an agent that does not only execute commands. `environment`: the agent offers every secret that the
/// task requires, and one that executes another command than the task's allows tasks to set its variables.
/// Does not consider capacity: a busy agent is eligible and its bid includes its wait.
std::optional<Refusal> ineligible(const Task& task, const Agent& agent);
/// The rules that depend on what the agent is: workflow, role, project, skill, run, environment.
std::optional<Refusal> unable(const TaskSpec& task, const AgentProfile& agent);
/// Everything that these rules, formulas and prices look at in a profile, by reference: agents that are equal
/// in it are equal before every task that names none of them.
inline auto abilities(const AgentProfile& agent) {
  return std::tie(agent.workflow, agent.role, agent.project, agent.skills, agent.allow_run, agent.simulated,
                  agent.only_commands, agent.secrets, agent.allow_env, agent.bids, agent.cost_formula,
                  agent.price_per_second, agent.speed);
}
/// The rule that needs the bid: its price must not exceed the task's budget.
std::optional<Refusal> over_budget(const TaskSpec& task, const BidVector& bid);
/// Why the agent's own_bid() does not count: the formula's own fault, or the task's budget.
std::optional<Refusal> against_own_bid(const TaskSpec& task, std::uint32_t attempts_made,
                                       const AgentProfile& agent);
/// Lowest level that the agent has among the task's needed skills; `one` if the task needs none. A skill that
/// the agent lacks counts as `one` (ineligible() has refused it before).
Micros skill_level(const TaskSpec& task, const AgentProfile& agent);

}  // namespace bidboard
