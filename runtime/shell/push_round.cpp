#include "runtime/shell/push_round.hpp"

#include <algorithm>
#include <ranges>

#include "blackboard/fmt.hpp"

namespace bidboard {

namespace {

std::string refusal_words(const Pushing& pushing) {
  return fmt::format("not pushed to {}: ", pushing.remote());
}

/// Once, however often it is tried.
Result<void> record_refusal(const Globals& globals, TaskId task, const Pushing& pushing, const Error& error) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  const Result<std::string> known = refusal_of(*board, task, pushing);
  if (!known) return fail(known.error());
  return *known == error.text ? Result<void>()
                              : record_on(globals, task, refusal_words(pushing) + error.text);
}

}  // namespace

Result<std::vector<Task>> to_be_pushed(const MergeOrder& order, const Pushing& pushing) {
  std::vector<Task> tasks;
  for (const Task& task : order.tasks) {
    if (task.state != TaskState::done || task.commit.empty()) continue;
    if (!order.chosen.contains(task.id)) {
      if (!order.chosen.empty() || pushing.was_pushed(task.id, task.commit)) continue;
      const Result<bool> is_there = pushing.has(task.commit);
      if (!is_there) return fail(is_there.error());
      if (*is_there) continue;
    }
    tasks.push_back(task);
  }
  std::ranges::stable_sort(tasks, {}, [](const Task& task) { return task.finished_at.us; });
  return tasks;
}

Result<std::string> refusal_of(const BoardView& board, TaskId task, const Pushing& pushing) {
  const Result<std::vector<Comment>> comments = board.comments_on(task);
  if (!comments) return fail(comments.error());
  const std::string begin = refusal_words(pushing);
  for (const Comment& comment : *comments | std::views::reverse) {
    if (comment.text.starts_with(begin)) return comment.text.substr(begin.size());
    if (comment.text.starts_with("pushed to ")) break;
  }
  return std::string();
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
    if (pushing.rehearses()) continue;
    const Result<void> noted = pushed ? record_on(globals, task.id, words)
                                      : record_refusal(globals, task.id, pushing, pushed.error());
    if (!noted) return fail(noted.error());
  }
  return all;
}

}  // namespace bidboard
