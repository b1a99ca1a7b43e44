// Which agents have been sent which waiting tasks, so that each is sent once. Kept from both sides: a task
// that is awarded concerns those who were sent it, however many agents there are. Pure.
#pragma once

#include <set>
#include <utility>

#include "runtime/core/award.hpp"

namespace bidboard {

class Announced {
 public:
  /// True: the agent has not been sent it yet.
  bool add(AgentId agent, TaskId task) {
    if (!by_agent_.emplace(agent, task).second) return false;
    by_task_.emplace(task, agent);
    return true;
  }
  bool contains(AgentId agent, TaskId task) const { return by_agent_.contains({agent, task}); }
  /// True: the agent had been sent it.
  bool remove(AgentId agent, TaskId task) {
    by_task_.erase({task, agent});
    return by_agent_.erase({agent, task}) > 0;
  }
  /// If the task returns, it counts as new again. Calls `was_told` for each agent that had been sent it, by
  /// id.
  template <class Visit>
  void remove(TaskId task, const Visit& was_told) {
    auto at = by_task_.lower_bound({task, AgentId{}});
    for (; at != by_task_.end() && at->first == task; at = by_task_.erase(at)) {
      by_agent_.erase({at->second, task});
      was_told(at->second);
    }
  }
  void forget(AgentId agent) {
    auto at = by_agent_.lower_bound({agent, TaskId{}});
    for (; at != by_agent_.end() && at->first == agent; at = by_agent_.erase(at))
      by_task_.erase({at->second, agent});
  }
  void clear() { by_agent_.clear(), by_task_.clear(); }

  /// An agent that was sent tasks and still has a free slot may never have received them, or its answer got
  /// lost: it is sent them again.
  void repeat(Core& core, AgentId agent) {
    const auto told = by_agent_.lower_bound({agent, TaskId{}});
    if (told == by_agent_.end() || told->first != agent) return;
    if (!has_free_slot(core, *core.board.agent(agent))) return;
    forget(agent);
    core.wake();
  }

 private:
  std::set<std::pair<AgentId, TaskId>> by_agent_;
  std::set<std::pair<TaskId, AgentId>> by_task_;
};

}  // namespace bidboard
