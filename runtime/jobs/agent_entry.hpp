// The description of an agent. One table of keys (agent_keys.cpp) says for each option how it is read, how
// it is printed, how it is typed at a shell, and what the documentation says of it: for the list `agents:` of
// a job file and of bidboard.yaml, for the options of `bidboard agent`, and for the JSON text by which a
// supervisor tells a child process what agent to be.
#pragma once

#include <string>

#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// Every usable agent, `count` unfolded; findings for the rest. `supervised`: the key `restart` is allowed.
std::vector<PlannedAgent> read_agents(const Value& list, bool supervised, Diagnostics& diagnostics);

std::vector<KeyInfo> agent_keys(bool supervised);

/// The agent as a map of those keys, without keys that have their default.
/// read_agent(to_json(describe_agent(a))) gives `a` for every agent that can be read from a file.
Value describe_agent(const PlannedAgent& agent);

/// One agent as JSON or YAML, `count` being 1. `source` is named in findings. Errors: invalid, all findings
/// at once.
Result<PlannedAgent> read_agent(std::string_view text, std::string source);

/// An option of `bidboard agent` that stands for a key.
struct AgentOption {
  std::string_view key;
  std::string_view names;  ///< "--skill,-s"
  std::string_view shown;  ///< its value in the help text; empty: a flag
  bool repeated = false;   ///< may be given several times
  std::string help;
};
std::vector<AgentOption> agent_options();

/// The agent that options describe. `typed` maps keys to what was typed: a text, a list of texts (`repeated`)
/// or true (a flag). Findings name the options. Errors: invalid, all findings at once.
Result<PlannedAgent> read_agent_options(const Value& typed);

}  // namespace bidboard
