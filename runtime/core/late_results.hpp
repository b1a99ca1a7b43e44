// Results that come after their award is over: kept as discoveries of their task, a limited number of them
// (blackboard/task_limits.hpp), so that no agent can fill the board with them. Pure.
#pragma once

#include <string>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Whether such a result adds anything to the task's: the task failed, or was finished with a different one.
bool is_news(const Core& core, const Task& task, const std::string& result);

enum class LateResult : std::uint8_t {
  kept,      ///< now or before: the same text of the same attempt is kept once
  not_kept,  ///< the task has as many as are kept; the first time, a discovery says so
};
/// Keeps it if there is room.
[[nodiscard]] LateResult keep_late_result(Core& core, const Task& task, AgentId agent, Epoch epoch,
                                          const std::string& result);
/// For who sent it: "; the result is not kept, ...", or nothing.
std::string because_not_kept(LateResult outcome);

}  // namespace bidboard
