// Which agents are connected and take tasks, and which of them have a free slot: updated as things change, so
// that no decision has to scan all agents. Derived from sessions and holdings; lost and rebuilt with them.
// Pure, for one thread.
#pragma once

#include <set>
#include <vector>

#include "blackboard/ids.hpp"

namespace bidboard {

struct Core;

class Roster {
 public:
  /// Something about the agent may have changed: its connection, what it holds, its capacity.
  void touch(AgentId agent) {
    if (!all_touched_) touched_.insert(agent);
  }
  void touch_all() {
    all_touched_ = true;
    touched_.clear();
  }
  /// Call before reading the two lists.
  void refresh(const Core& core);

  const std::vector<AgentId>& connected() const { return connected_; }  ///< by id
  const std::vector<AgentId>& free() const { return free_; }            ///< those with a free slot; by id

 private:
  std::vector<AgentId> connected_;
  std::vector<AgentId> free_;
  std::set<AgentId> touched_;
  bool all_touched_ = true;
};

}  // namespace bidboard
