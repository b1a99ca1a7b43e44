// What the controller does where agents agree among themselves (strategy `peer`): it names each agent its
// neighbours, tells everybody what may be had and what no longer, and awards what was agreed on. It takes no
// part in the agreement itself. Pure.
//
// Up to seventeen agents all talk to each other; of more, each one to those one, two, four, ... places before
// and behind it in the order of their ids, so that paths grow with n log n and any word is everywhere after
// log n steps. Agents that peers cannot reach (those on other machines) are told of no tasks.
#pragma once

#include <vector>

#include "runtime/core/core.hpp"

namespace bidboard {

/// The places, of `count` in a ring, that the one at `place` talks to; ascending.
std::vector<std::size_t> neighbours(std::size_t place, std::size_t count);

void on_listening(Core& core, PeerId peer, const Listening& message);
/// An agent has agreed with its peers that it takes these.
void take_agreed(Core& core, PeerId peer, const Agent& agent, const std::vector<TaskId>& tasks);

/// The agent was told of a task that it cannot have any more: to be told at the end of the settle. `awarded`:
/// it is about to be awarded; else it may come back in the same round.
void take_back(Core& core, AgentId agent, TaskId task, bool awarded);

/// Of a settle: names neighbours where they changed; notes what is to be offered; tells it, with what can no
/// longer be had.
void name_peers(Core& core);
void offer_to_peers(Core& core, const Situation& situation);
void tell_offers(Core& core);

}  // namespace bidboard
