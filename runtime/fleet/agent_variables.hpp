// The variables that an agent gives to its commands, read where its description says they are. Values of
// secrets stand in the memory of the agent's process and in the environment of what it executes, nowhere
// else. Edge code.
#pragma once

#include <string>
#include <vector>

#include "blackboard/records.hpp"
#include "blackboard/result.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

struct AgentVariables {
  std::vector<EnvVariable> env;      ///< of the env_file, then of `env`
  std::vector<EnvVariable> secrets;  ///< in the order of the description
  std::vector<std::string> notes;    ///< what the owner should know of them
};

/// Also checks that the agent's dir exists. Errors, each with what to do: not_found (a file, a folder or a
/// variable), refused (others can read the file), invalid (the content of a file).
Result<AgentVariables> read_agent_variables(const PlannedAgent& agent);
/// Whether the agents will find theirs when they start; nothing is kept. Errors: those of the first that will
/// not, with its name.
Result<void> check_agent_variables(const std::vector<PlannedAgent>& agents);

}  // namespace bidboard
