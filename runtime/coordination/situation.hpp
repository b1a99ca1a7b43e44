// The input of a strategy's decision: ready tasks, and the agents that may take them.
#pragma once

#include <string>
#include <vector>

#include "blackboard/records.hpp"

namespace bidboard {

struct AgentView {
  const Agent* agent = nullptr;
  std::uint32_t holding = 0;  ///< awarded and running
  std::uint32_t free_slots = 0;
  /// Only for strategies that look ahead: when each slot is expected to be free, in microseconds from now,
  /// sorted (0: free now; a busy slot has at least 1).
  std::vector<Micros> slot_free_in;
};
/// A task that waits, and the agents (as positions in Situation::agents) that may take it.
struct TaskView {
  const Task* task = nullptr;
  std::vector<std::size_t> eligible;  ///< ascending
  std::vector<std::size_t> failed;    ///< agents passed over because they failed it before
};
struct Situation {
  std::vector<TaskView> tasks;    ///< in the order of the ready index
  std::vector<AgentView> agents;  ///< connected ones, by id; see Outlook::sees_busy
  bool sampled = false;           ///< by Config::invite_max: an agent not listed for a task was not asked
};

/// Which agents a strategy needs to see.
struct Outlook {
  bool sees_busy = true;     ///< also agents without a free slot; leaving them out is cheaper
  bool looks_ahead = false;  ///< needs AgentView::slot_free_in
  bool plans_ahead = false;  ///< agents without a free slot look for work as well
  bool samples = false;      ///< asks at most Config::invite_max agents for each task
};

}  // namespace bidboard
