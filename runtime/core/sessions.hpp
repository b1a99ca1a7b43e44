// Agents come, say what became of their awards, and go. Pure.
#pragma once

#include <string>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Whether the message under way may speak for the agent at all, whatever it shows: it came from this
/// machine, over an operator's key, or over the key over which the agent registered.
bool speaks_for(const Core& core, const Agent& agent);
/// Whether its process is on this machine, so that its end is seen at once. A remote one may claim what it
/// likes.
bool is_watched(const Core& core, const Agent& agent);
/// What is wrong with an agent's name; empty when nothing is.
std::string flaw_of_name(const std::string& name);

/// Begins a session for every live agent on the board that has none, with one lease to show itself.
void expect_live_agents(Core& core);
void on_register(Core& core, PeerId peer, const Register& message);
void on_heartbeat(Core& core, PeerId peer, const Heartbeat& message);
void on_reports(Core& core, PeerId peer, const Reports& message);
void on_leave(Core& core, const Leave& message);
/// `left`: it said goodbye, so what it held uses up no attempt.
void agent_gone(Core& core, AgentId agent, const std::string& reason, bool left = false);
/// The agent behind a message, its secret checked and its lease renewed; nothing (and WhoAreYou sent) when it
/// is unknown.
const Agent* authenticate(Core& core, PeerId peer, AgentId agent, const std::string& secret);

/// Whether a result that repeats an ended award's last word says anything that the task's result does not:
/// the task failed, or was finished with another one.
bool is_news(const Core& core, const Task& task, const std::string& result);
/// Keeps a result that came too late as a discovery.
void keep_late_result(Core& core, const Task& task, AgentId agent, Epoch epoch, const std::string& result);

}  // namespace bidboard
