#include "runtime/shell/push_round.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"

namespace bidboard {

std::vector<Task> to_be_pushed(const MergeOrder& order, const Pushing& pushing) {
  std::vector<Task> tasks;
  for (const Task& task : order.tasks) {
    if (task.state != TaskState::done || task.commit.empty()) continue;
    const bool is_chosen = order.chosen.contains(task.id);
    if (is_chosen || (order.chosen.empty() && !pushing.was_pushed(task.id, task.commit)))
      tasks.push_back(task);
  }
  std::ranges::stable_sort(tasks, {}, [](const Task& task) { return task.finished_at.us; });
  return tasks;
}

Result<bool> push_round(const Globals& globals, const std::vector<Task>& tasks, Pushing& pushing,
                        const std::function<void(TaskId, const std::string&)>& tell) {
  bool all = true;
  for (const Task& task : tasks) {
    const Result<void> pushed = pushing.push(task.id, task.branch, task.commit);
    const std::string_view did = pushing.rehearses() ? "would be pushed, were this no rehearsal," : "pushed";
    const std::string words = pushed ? fmt::format("{} to {} as {}", did, pushing.remote(), task.branch)
                                     : fmt::format("waits: {}", pushed.error().text);
    tell(task.id, words);
    all = all && pushed;
    if (!pushed && pushed.error().code == Errc::unavailable) return false;  // the others would fare no better
    if (!pushed || pushing.rehearses()) continue;
    if (const Result<void> noted = record_on(globals, task.id, words); !noted) return fail(noted.error());
  }
  return all;
}

}  // namespace bidboard
