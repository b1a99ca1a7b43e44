// Who is connected and takes tasks, and who of them has a free slot: kept along as things change, so that no
// decision has to look at everybody. Derived from sessions and holdings; lost and rebuilt with them. Pure,
// for one thread.
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
  /// To be called before the two lists are read.
  void refresh(const Core& core);

  const std::vector<AgentId>& connected() const { return connected_; }  ///< by id
  const std::vector<AgentId>& free() const { return free_; }            ///< of them; by id

 private:
  std::vector<AgentId> connected_;
  std::vector<AgentId> free_;
  std::set<AgentId> touched_;
  bool all_touched_ = true;
};

}  // namespace bidboard
