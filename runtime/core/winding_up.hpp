// Attempts whose award is over while their process may still run: its result was accepted while it ran, or
// the award was taken back. What such an attempt has cost is known only when its process has ended. Pure.
#pragma once

#include <string>
#include <vector>

#include "runtime/core/core.hpp"
#include "runtime/core/tasks.hpp"

namespace bidboard {

constexpr Duration wind_up_time = seconds(10);

/// Tells the holder of a live award to stop. `may_cost`: it may have spent what nobody tells; not after an
/// outage, which its own process has told.
void revoke(Core& core, const Task& task, const std::string& reason, bool may_cost = true);
/// Tells the holder, whose process has just delivered the result itself, to let it end: it has more to do.
void let_wind_up(Core& core, const Task& task);

/// Whether the attempt delivered its result and has not ended.
bool winds_up(const Core& core, AgentId agent, const Held& held);
/// Whether the attempt's award is over, but not the attempt.
bool is_open(const Core& core, AgentId agent, const Held& held);
/// Of how many attempts the result was accepted while they take a slot of the agent.
std::size_t slots_winding_up(const Core& core, AgentId agent);

/// The agent told how such an attempt ended. A repeated report changes nothing.
void settle_attempt(Core& core, const Task& task, AgentId agent, Epoch epoch, const Delivered& told);
/// A batch was lost: awards that it ended are live again.
void forget_lost_ends(Core& core);
/// What the agent does not mention any more has ended, and what it cost was lost on the way, or never told.
void settle_unmentioned(Core& core, AgentId agent, const std::vector<Held>& spoken_of);

}  // namespace bidboard
