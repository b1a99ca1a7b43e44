// Agents register, report on their awards, and leave. Pure.
#pragma once

#include <string>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Whether the current message may speak for the agent at all, whatever secret it shows: it came from this
/// machine, over an operator's key, or over the key over which the agent registered.
bool speaks_for(const Core& core, const Agent& agent);
/// Whether the agent's process is on this machine, so that its end is seen at once. What a remote agent
/// claims about its host does not count.
bool is_watched(const Core& core, const Agent& agent);
/// What is wrong with an agent's name; empty if it is valid.
std::string flaw_of_name(const std::string& name);

/// Begins a session for every live agent on the board that has none, with one lease term to report in.
void expect_live_agents(Core& core);
void on_register(Core& core, PeerId peer, const Register& message);
void on_heartbeat(Core& core, PeerId peer, const Heartbeat& message);
void on_reports(Core& core, PeerId peer, const Reports& message);
/// Results of needs, for the holder of a live award.
void on_fetch_needs(Core& core, PeerId peer, const FetchNeeds& message);
void on_leave(Core& core, const Leave& message);
/// `left`: it signed off, so the attempts at its tasks do not count.
void agent_gone(Core& core, AgentId agent, const std::string& reason, bool left = false);
/// The agent that sent a message, its secret checked and its lease renewed; nullptr (and WhoAreYou sent) if
/// it is unknown.
const Agent* authenticate(Core& core, PeerId peer, AgentId agent, const std::string& secret);

}  // namespace bidboard
