// Peers without an arbiter: no controller and no board. Every agent knows the whole plan. Agents agree among
// themselves (agents/peer.hpp), start the tasks that they believe to have won, and announce finished ones.
// Nothing prevents two agents from doing the same task: an agent that has not heard of another's claim for
// some seconds (because that agent is dead or cut off, or its messages were lost) takes the task too. Every
// execution is recorded with its task and agent; only the first that finishes is useful, the others are
// redundant work. Virtual time, one thread.
#pragma once

#include "experiments/cells.hpp"
#include "experiments/facts.hpp"

namespace bidboard {

/// `bound`: the lower bound of the makespan; faults begin at a share of it. Faults of the controller have no
/// effect; a partition cuts the same half of the agents off from the others.
RunFacts simulate_arbiterless(const Setting& setting, const FaultsSpec& faults, double bound);

}  // namespace bidboard
