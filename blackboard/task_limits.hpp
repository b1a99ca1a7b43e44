// What a task may be at most. The controller checks every task that is posted; readers of files check the
// same before they post anything.
#pragma once

#include <cstddef>

#include "blackboard/records.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

constexpr std::size_t max_title_bytes = 1'000;
constexpr std::size_t max_body_bytes = 1 << 20;  ///< of body and command together
constexpr std::size_t max_needs = 10'000;
constexpr std::size_t max_env = 100;
constexpr std::size_t max_env_bytes = 64 << 10;  ///< of all names and values together
constexpr std::size_t max_secrets = 100;
constexpr Duration max_timeout = minutes(60 * 24 * 366);

/// What is wrong with the task, and what to do about it: "its title has more than 1000 bytes; put text into
/// the body". `needs`: how many tasks it needs, those included that spec.needs does not list yet. Empty:
/// nothing.
std::string flaw_of(const TaskSpec& spec, std::size_t needs);

}  // namespace bidboard
