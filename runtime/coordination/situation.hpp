// What a strategy is shown when it decides: ready tasks, and the agents that may take them.
#pragma once

#include <string>
#include <vector>

#include "blackboard/records.hpp"

namespace bidboard {

struct AgentView {
  const Agent* agent = nullptr;
  std::uint32_t holding = 0;  ///< awarded and running
  std::uint32_t free_slots = 0;
  /// Only for strategies that look ahead: when each slot is expected to be free, in micro-seconds from now,
  /// sorted (0: it is free, a busy slot has at least 1).
  std::vector<Micros> slot_free_in;
};
/// A task that waits, and the agents (as positions in Situation::agents) that may take it.
struct TaskView {
  const Task* task = nullptr;
  std::vector<std::size_t> eligible;  ///< ascending
  std::vector<std::size_t> failed;    ///< those that failed it before, and are passed over for that
};
struct Situation {
  std::vector<TaskView> tasks;    ///< in the order of the ready index
  std::vector<AgentView> agents;  ///< connected ones, by id; see Outlook::sees_busy
  bool sampled = false;           ///< by Config::invite_max: who is not eligible for a task was not asked
};

/// Which agents a strategy has a use for.
struct Outlook {
  bool sees_busy = true;     ///< also those without a free slot; leaving them out is cheaper
  bool looks_ahead = false;  ///< wants AgentView::slot_free_in
  bool plans_ahead = false;  ///< agents without a free slot look for work as well
  bool samples = false;      ///< asks at most Config::invite_max agents for each task
};

}  // namespace bidboard
