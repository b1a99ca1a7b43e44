// From an agent's description to what executes its tasks.
#pragma once

#include <memory>
#include <string>

#include "agents/executor.hpp"
#include "runtime/fleet/agent_variables.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {

/// A controller on another machine; empty: it is here.
struct Elsewhere {
  std::string connect;
  std::string key_file;
};

/// `agent`: its paths absolute. `board`: where the output of its tasks goes.
std::unique_ptr<Executor> make_executor(const BoardDirectory& board, const PlannedAgent& agent,
                                        AgentVariables variables, const Elsewhere& elsewhere = {});

}  // namespace bidboard
