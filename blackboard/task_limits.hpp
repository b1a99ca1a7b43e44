// What a task may be at most. The controller checks every task that is posted; readers of files check the
// same before they post anything.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "blackboard/records.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

constexpr std::size_t max_title_bytes = 1'000;
constexpr std::size_t max_body_bytes = 1 << 20;  ///< of body and command together
constexpr std::size_t max_needs = 10'000;
constexpr std::size_t max_env = 100;
constexpr std::size_t max_env_bytes = 64 << 10;  ///< of all names and values together
constexpr std::size_t max_secrets = 100;
constexpr std::size_t max_labels = 32;
constexpr std::size_t max_label_bytes = 64;
constexpr std::size_t max_comments = 100;  ///< of one task
constexpr std::size_t max_comment_bytes = 16 * 1024;
constexpr Duration max_timeout = minutes(60 * 24 * 366);
/// Results that come after their award is over: the first ones are kept, at most this many and these bytes
/// together, so that the longest one (message_bytes_max) always fits beside those of usual length.
constexpr std::size_t max_late_results = 8;
constexpr std::size_t max_late_result_bytes = 16 << 20;

/// What is wrong with the task, and what to do about it: "its title has more than 1000 bytes; put text into
/// the body". `needs`: how many tasks it needs, those included that spec.needs does not list yet. Empty:
/// nothing.
std::string flaw_of(const TaskSpec& spec, std::size_t needs);
/// Sorted, each once, as TaskSpec::labels are.
void put_in_order(std::vector<std::string>& labels);
/// By task, each once (the first counts), as TaskSpec::needs are.
void put_in_order(std::vector<Need>& needs);

}  // namespace bidboard
