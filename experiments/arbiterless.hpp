// Peers without any arbiter: no controller and no board. Everybody is told the whole plan, agents agree among
// themselves (agents/peer.hpp), begin what they believe they have won, and pass on what is finished. Nobody
// can forbid that two do the same: who has not heard of another one's claim for some seconds, because it is
// dead, cut off or its words got lost, takes the task as well. Every execution is recorded for its task and
// agent, and only the first that is finished is useful: the others are paid for. Virtual time, one thread.
#pragma once

#include "experiments/cells.hpp"
#include "experiments/facts.hpp"

namespace bidboard {

/// `bound`: the least possible makespan, of which faults begin at a share. Faults of the controller do
/// nothing here; a partition cuts the same half of the agents off, from the others.
RunFacts simulate_arbiterless(const Setting& setting, const FaultsSpec& faults, double bound);

}  // namespace bidboard
