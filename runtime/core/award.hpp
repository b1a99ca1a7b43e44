// The only path to an award. Coordinators, claims at the shell and bundles all use it; the rules are enforced
// here, and the epoch and the capability are created here. Pure.
#pragma once

#include <optional>
#include <string>

#include "auction/eligibility.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {

/// The task waits for an award, and nothing holds it back (Task::holds).
bool may_be_awarded(const Task& task);
/// Why the agent gets no work at present, whatever the task: it rests, or a budget is spent.
std::optional<Refusal> unfit(const Core& core, const AgentProfile& agent);
/// Why the agent may not have the task; empty when it may. If no bid names a price, the price that the agent
/// is known to charge must fit the budget.
std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent);
/// Tasks that the agent holds, and those whose processes it has not ended yet.
std::uint32_t taken_slots(const Core& core, AgentId agent);
/// Whether that is less than its capacity.
bool is_below_capacity(const Core& core, const Agent& agent);
/// That, and neither a probe nor a limit of its account (breakers.hpp) keeps it from another task just now.
bool has_free_slot(const Core& core, const Agent& agent);

/// The record of a decision that no bids led to.
Auction plain_decision(const Core& core, TaskId task, std::string why);
/// Awards the task and sends it to the agent's process. `promise`: what its bid promised. REQUIRES: the
/// task's state allows an award; the agent may take the task and has a free slot.
/// False: a budget does not allow it, and holds the task instead (budgets.hpp).
bool award(Core& core, const Task& task, const Agent& agent, Auction decision,
           std::optional<Promise> promise = {});
/// The same for a caller at the shell, who has no process and no capacity limit.
Claimed award_claim(Core& core, const Task& task, const Agent& agent, Auction decision);

/// If the results of a task's needs have more bytes than this together, they are fetched separately from the
/// award.
constexpr std::size_t needs_bytes_in_award = 256 * 1024;
/// `capability`: of the task's epoch (Secrets::capability).
AwardItem award_item(const Core& core, const Task& task, std::string capability, const AgentProfile& agent);
/// Results of the task's needs, from index `from` on, about message_bytes_max of them. REQUIRES: `from` is at
/// most the number of needs.
NeedsPage needs_page(const Core& core, const Task& task, std::uint32_t from, std::uint64_t offset);
TaskOffer offer_of(const Task& task);

}  // namespace bidboard
