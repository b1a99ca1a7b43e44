// An agent as a process: its state machine (agents/agent.hpp) between a connection and an executor, one
// thread, one loop that sleeps until something happens. Edge code.
#pragma once

#include <functional>

#include "runtime/home/board_directory.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

struct AgentProcessOptions {
  PlannedAgent agent;               ///< its paths absolute
  std::string connect;              ///< not empty: the controller's address, perhaps on another machine
  std::string key_file;             ///< the key for that controller; absolute, since tasks get it too
  Duration patience = seconds(10);  ///< for the first connection to a controller
  std::function<void(const std::string&)> on_note = [](const std::string&) {};
};

/// Works for the board until SIGTERM or SIGINT; then stops running tasks, leaves the board and returns. Keeps
/// working while the controller is away. `board`: with `connect`, a folder of this machine for the output of
/// tasks. Errors: those of read_agent_variables(); unavailable (no controller serves the board), refused (not
/// admitted, or no longer), invalid or conflict (registration refused).
Result<void> run_agent(const BoardDirectory& board, AgentProcessOptions options);

}  // namespace bidboard
