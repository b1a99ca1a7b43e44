// Which agents have been sent which waiting tasks, so that each is sent once. Pure.
#pragma once

#include <map>
#include <set>

#include "runtime/core/award.hpp"

namespace bidboard {

class Announced {
 public:
  /// True: the agent has not been sent it yet.
  bool add(AgentId agent, TaskId task) { return tasks_[agent].insert(task).second; }
  bool contains(AgentId agent, TaskId task) const {
    const auto told = tasks_.find(agent);
    return told != tasks_.end() && told->second.contains(task);
  }
  /// True: the agent had been sent it.
  bool remove(AgentId agent, TaskId task) {
    const auto told = tasks_.find(agent);
    return told != tasks_.end() && told->second.erase(task) > 0;
  }
  /// If the task returns, it counts as new again. Calls `was_told` for each agent that had been sent it.
  template <class Visit>
  void remove(TaskId task, const Visit& was_told) {
    for (auto& [agent, tasks] : tasks_)
      if (tasks.erase(task) > 0) was_told(agent);
  }
  void forget(AgentId agent) { tasks_.erase(agent); }
  void clear() { tasks_.clear(); }

  /// An agent that was sent tasks and still has a free slot may never have received them, or its answer got
  /// lost: it is sent them again.
  void repeat(Core& core, AgentId agent) {
    const auto told = tasks_.find(agent);
    if (told == tasks_.end() || told->second.empty()) return;
    if (!has_free_slot(core, *core.board.agent(agent))) return;
    tasks_.erase(told);
    core.wake();
  }

 private:
  std::map<AgentId, std::set<TaskId>> tasks_;
};

}  // namespace bidboard
