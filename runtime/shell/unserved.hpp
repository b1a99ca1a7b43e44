// Tasks that no agent can do: they would wait for ever without a word.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "blackboard/records.hpp"

namespace bidboard {

/// Why none of the agents that are connected can do such a task: "scout1 needs cpp, has search", or "no agent
/// is connected". Nothing: one can, though it may be busy.
std::optional<std::string> why_unserved(const TaskSpec& spec, const std::vector<Agent>& agents);

}  // namespace bidboard
