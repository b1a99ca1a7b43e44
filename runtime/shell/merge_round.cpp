#include "runtime/shell/merge_round.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/merge_fixes.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/supervisor_lock.hpp"

namespace bidboard {
namespace {

template <class Answer, class Asked>
Result<Answer> ask(const Globals& globals, Asked asked) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  return call_for<Answer>(*board, std::move(asked), caller());
}

class Round {
 public:
  Round(const Globals& globals, const MergeOrder& order, Merging& merging, MergeQueue& queue,
        const std::function<void(TaskId, const std::string&)>& tell)
      : globals_(globals), order_(order), merging_(merging), queue_(queue), tell_(tell) {}

  Result<bool> run() {
    if (const Result<void> cancelled = cancel_unneeded(); !cancelled) return fail(cancelled.error());
    const std::vector<Waiting>& waiting = queue_.waiting();
    auto most = static_cast<std::size_t>(order_.batch);
    for (std::size_t at = 0; at < waiting.size();) {
      if (!is_wanted(waiting[at])) {
        ++at;
        continue;
      }
      if (!can_be_tried(waiting[at])) {
        pass_over(waiting[at++]);
        continue;
      }
      const std::size_t together = group_at(at, most);
      const Result<MergeResult> result = merging_.merge(works_at(at, together));
      const bool one_of_many_fails = result && result->end == MergeEnd::check_failed && result->taken > 1;
      if (one_of_many_fails) {  // the half of them, then the half of those: which is it?
        most = result->taken / 2;
        continue;
      }
      most = static_cast<std::size_t>(order_.batch);
      const std::size_t taken = result ? result->taken : 1;
      for (const std::size_t end = at + taken; at < end; ++at)
        if (const Result<void> settled = settle(waiting[at], result); !settled) return fail(settled.error());
    }
    return all_merged_;
  }

 private:
  bool is_wanted(const Waiting& waiting) const {
    return order_.chosen.empty() || order_.chosen.contains(waiting.task.id);
  }
  /// One that was asked for by name is tried in any case.
  bool can_be_tried(const Waiting& waiting) const {
    return !queue_.missing_for(waiting.task) &&
           (waiting.why.empty() || order_.chosen.contains(waiting.task.id));
  }

  void pass_over(const Waiting& waiting) {
    const TaskId need = queue_.missing_for(waiting.task);
    tell_(waiting.task.id, need ? fmt::format("waits for {}, which it needs", need) : waiting.why);
    queue_.settle(waiting, false);
    all_merged_ = all_merged_ && !need && waiting.settled_in;
  }

  /// How many from there on can be tried together: those that need one of them do not wait for it then.
  std::size_t group_at(std::size_t at, std::size_t most) const {
    const std::vector<Waiting>& waiting = queue_.waiting();
    std::size_t count = 1;
    while (count < most && at + count < waiting.size() && is_wanted(waiting[at + count]) &&
           can_be_tried(waiting[at + count]))
      ++count;
    return count;
  }

  std::vector<MergeWork> works_at(std::size_t at, std::size_t count) const {
    std::vector<MergeWork> works;
    for (std::size_t i = at; i < at + count; ++i) {
      const Task& task = queue_.waiting()[i].task;
      works.push_back({task.id, task.spec.title, task.commit});
    }
    return works;
  }

  Result<void> settle(const Waiting& waiting, const Result<MergeResult>& result) {
    const bool in = result && (result->end == MergeEnd::merged || result->end == MergeEnd::already);
    const Result<std::string> words = became_of(waiting, result);
    if (!words && words.error().code == Errc::unavailable) return fail(words.error());
    tell_(waiting.task.id, words ? *words : fmt::format("waits: {}", words.error().text));
    queue_.settle(waiting, in);
    all_merged_ = all_merged_ && in;
    if (result && result->end == MergeEnd::merged) return record_on(globals_, waiting.task.id, *words);
    return {};
  }

  Result<void> cancel_unneeded() const {
    if (!order_.chosen.empty()) return {};
    for (const auto& [fix, of] : queue_.unneeded()) {
      const std::string why = fmt::format("the work of {} is in {}", of, merging_.into());
      const auto cancelled = ask<Changed>(globals_, Direct{Direction::cancel, fix, why});
      if (!cancelled && cancelled.error().code == Errc::unavailable) return fail(cancelled.error());
      if (cancelled) tell_(fix, fmt::format("is cancelled: {}", why));
    }
    return {};
  }

  Result<std::string> became_of(const Waiting& waiting, const Result<MergeResult>& result) const {
    if (!result) return fail(result.error());
    switch (result->end) {
      case MergeEnd::merged:
        return fmt::format("merged into {} at {}", merging_.into(), result->target.substr(0, 12));
      case MergeEnd::already:
        return fmt::format("is in {} already", merging_.into());
      case MergeEnd::blocked:
        return fmt::format("waits: {}", result->output);
      case MergeEnd::conflict:
      case MergeEnd::check_failed:
        break;
    }
    return hand_on(globals_, merging_, order_.place.check, waiting, *result,
                   order_.chosen.contains(waiting.task.id));
  }

  const Globals& globals_;
  const MergeOrder& order_;
  Merging& merging_;
  MergeQueue& queue_;
  const std::function<void(TaskId, const std::string&)>& tell_;
  bool all_merged_ = true;
};

}  // namespace

Result<MergeOrder> read_merge_order(const BoardView& board, const MergeWish& wish) {
  const Result<Settings> settings = load_settings(board.directory());
  if (!settings) return fail(settings.error());
  MergeOrder order;
  MergePlace& place = order.place;
  place.repository = wish.dir.empty() ? board.directory().home() : wish.dir;
  order.rehearses = rehearses(board.directory());
  order.push = !wish.push.empty() || !wish.into.empty() ? wish.push : settings->merge.push;
  if (!order.push.empty() && (!wish.into.empty() || !wish.check.empty() || wish.batch > 0))
    return fail(
        Errc::invalid,
        fmt::format("pushing to {} merges nothing: leave out {}, or merge with --into BRANCH alone",
                    order.push, wish.into.empty() ? "--check and --batch" : "--into, --check and --batch"));
  place.into = wish.into.empty() ? settings->merge.into : wish.into;
  place.check = wish.check.empty() ? settings->merge.check : wish.check;
  place.place = board.directory().path + "/worktrees";
  order.batch = wish.batch > 0 ? wish.batch : settings->merge.batch;
  for (const std::string& text : wish.tasks) {
    const Result<TaskId> id = read_task_id(text);
    if (!id) return fail(id.error());
    const Result<Task> task = board.task(*id);
    if (!task) return fail(task.error());
    if (task->state != TaskState::done || task->commit.empty())
      return fail(Errc::conflict,
                  task->state != TaskState::done
                      ? fmt::format("{} is {}: only the work of done tasks is merged", *id, task->state)
                      : fmt::format("{} was not done in a worktree: it has no commit", *id));
    order.chosen.insert(*id);
  }
  Result<std::vector<Task>> tasks = board.tasks();
  if (!tasks) return fail(tasks.error());
  std::erase_if(*tasks, [](const Task& task) { return !concerns_merging(task); });
  order.tasks = std::move(*tasks);
  return order;
}

Result<void> record_on(const Globals& globals, TaskId task, const std::string& words) {
  const auto noted = ask<Commented>(globals, AddComment{task, words});
  if (!noted && noted.error().code == Errc::unavailable) return fail(noted.error());
  return {};
}

Result<bool> merge_round(const Globals& globals, const MergeOrder& order, Merging& merging, MergeQueue& queue,
                         const std::function<void(TaskId, const std::string&)>& tell) {
  return Round(globals, order, merging, queue, tell).run();
}

}  // namespace bidboard
