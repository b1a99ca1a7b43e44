// The log's record of an auction: its bids, its refusals and one sentence on why. Pure.
#pragma once

#include <map>

#include "auction/clearing.hpp"
#include "runtime/coordination/bid_book.hpp"

namespace bidboard {

/// The part of a task's auction record that does not depend on a winner. `opened_at`: 0 if no agent was
/// asked.
Auction record_of(const Core& core, const Gathered& gathered, WallTime opened_at);
/// The same with the winner. `next_slot`: the wait until each agent could begin another task.
Auction record_of(const Core& core, const Gathered& gathered, WallTime opened_at, const Award& award,
                  const std::map<AgentId, Micros>& next_slot);
/// "no bids: 2 declined, 1 did not answer"
std::string reason_for_nobody(const Gathered& gathered);

}  // namespace bidboard
