#include "runtime/shell/push_round.hpp"

#include <algorithm>
#include <ranges>

#include "blackboard/fmt.hpp"

namespace bidboard {

namespace {

std::string refusal_words(const Pushing& pushing) {
  return fmt::format("not pushed to {}: ", pushing.remote());
}

/// What is the same when it is tried again: the words of a remote may have a number of their own.
std::string_view stem(std::string_view refusal) { return refusal.substr(0, refusal.find(';')); }

/// Once, however often it is tried.
Result<void> record_refusal(const Globals& globals, TaskId task, const Pushing& pushing, const Error& error) {
  const Result<std::string> known = [&]() -> Result<std::string> {
    const Result<BoardView> board = BoardView::open(globals);  // closed before the board is written to
    if (!board) return fail(board.error());
    return refusal_of(*board, task, pushing);
  }();
  if (!known) return fail(known.error());
  if (stem(*known) == stem(error.text)) return {};
  return record_on(globals, task, refusal_words(pushing) + error.text);
}

}  // namespace

Result<std::vector<Task>> to_be_pushed(const MergeOrder& order, const Pushing& pushing) {
  std::vector<Task> tasks;
  std::vector<std::string> commits;
  for (const Task& task : order.tasks) {
    if (task.state != TaskState::done || task.commit.empty()) continue;
    if (order.chosen.empty() ? pushing.was_pushed(task.id, task.commit) : !order.chosen.contains(task.id))
      continue;
    tasks.push_back(task);
    commits.push_back(task.commit);
  }
  if (order.chosen.empty()) {
    const Result<std::set<std::string>> lacking = pushing.lacking(commits);
    if (!lacking) return fail(lacking.error());
    std::erase_if(tasks, [&](const Task& task) { return !lacking->contains(task.commit); });
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
    if (comment.text.starts_with(fmt::format("pushed to {} as ", pushing.remote()))) break;
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
