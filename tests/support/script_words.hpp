// Events and messages as one short line each, for controller scripts (script_runner.hpp).
#pragma once

#include <string>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard::script {

/// Empty for events of mere upkeep (signs of life).
std::string in_words(const Event& event);
/// One line per fact; none for bare acknowledgements.
std::vector<std::string> in_words(const Message& message);
/// A record on one line.
std::string in_words(const Task& task);
std::string in_words(const Agent& agent);

}  // namespace bidboard::script
