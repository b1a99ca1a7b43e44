// The keys that describe an agent, one row for each. agent_entry.hpp reads and prints agents by them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// What a list entry describes: `count` agents that differ by name only.
struct AgentEntry {
  PlannedAgent agent;
  std::int64_t count = 1;
};

/// How a key is written as an option of `bidboard agent`.
struct KeyOption {
  std::string_view names = {};  ///< "--skill,-s"; empty: it is not an option
  std::string_view shown = {};  ///< its value in the help text; empty: a flag for the opposite of the default
  std::string_view help = {};   ///< where the key's documentation does not fit the option
};

/// How one option is read, documented, printed and typed. `print`: null when the agent has the default; a
/// null function: the key is unfolded while reading and never printed.
struct AgentKey {
  Key<AgentEntry> key;
  Value (*print)(const PlannedAgent&);
  KeyOption typed = {};

  std::string_view option() const { return typed.names.substr(0, typed.names.find(',')); }
};

/// The last row is `restart`, which job files do not have.
std::span<const AgentKey> agent_key_table();

}  // namespace bidboard
