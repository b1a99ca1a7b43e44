// Reads the list `agents:` of a job file and of bidboard.yaml: one table of keys for both.
#pragma once

#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// Every usable agent, `count` unfolded; findings for the rest. `supervised`: the key `restart` is allowed.
std::vector<PlannedAgent> read_agents(const Value& list, bool supervised, Diagnostics& diagnostics);

std::vector<KeyInfo> agent_keys(bool supervised);

}  // namespace bidboard
