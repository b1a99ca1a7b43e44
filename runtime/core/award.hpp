// The one way to an award. Coordinators, claims at the shell and bundles all end here, where the rules are
// enforced and epoch and capability are made. Pure.
#pragma once

#include <optional>
#include <string>

#include "auction/eligibility.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {

/// It waits for an award, and nothing holds it back (Task::holds).
bool may_be_awarded(const Task& task);
/// Why the agent may not have the task; nothing when it may. Where no bid names a price, the price that the
/// agent is known to take must fit the budget.
std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent);
/// Whether the agent holds less than its capacity.
bool has_free_slot(const Core& core, const Agent& agent);

/// The record of a decision that no bids led to.
Auction plain_decision(const Core& core, TaskId task, std::string why);
/// Awards the task and sends it to the agent's process. `promise`: what its bid promised. REQUIRES: the
/// task's state allows it, the agent may take it and has a free slot.
void award(Core& core, const Task& task, const Agent& agent, Auction decision,
           std::optional<Promise> promise = {});
/// The same for somebody at a shell, who has no process and no limit.
Claimed award_claim(Core& core, const Task& task, const Agent& agent, Auction decision);

AwardItem award_item(const Core& core, const Task& task);
TaskOffer offer_of(const Task& task);

}  // namespace bidboard
