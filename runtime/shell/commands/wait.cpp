// wait: until tasks have ended.
#include <set>

#include "blackboard/task_states.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/shell/board_changes.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"

namespace bidboard {
namespace {

/// Zero looks once.
constexpr Duration unlimited{-1};

struct WaitArgs {
  std::vector<std::string> tasks;
  bool any = false;
  Duration timeout = unlimited;
  bool json = false;
};

/// What is known of the tasks that are waited for.
class Awaited {
 public:
  explicit Awaited(const WaitArgs& args) : args_(args) {}

  Result<void> begin() {
    for (const std::string& text : args_.tasks) {
      const Result<TaskId> id = read_task_id(text);
      if (!id) return fail(id.error());
      if (open_.insert(*id).second) asked_.push_back(*id);
    }
    return {};
  }

  /// Looks at what is still open, and says what has ended.
  Result<void> look(const BoardView& board) {
    for (const TaskId id : asked_) {
      if (!open_.contains(id) || over()) continue;
      const Result<Task> task = board.task(id);
      if (!task) return fail(task.error());
      if (task->state == TaskState::waiting && !args_.json && told_.insert(id).second)
        hint("{} waits for a person: {}", id, task->reason);
      if (!is_over(task->state)) continue;
      open_.erase(id);
      all_done_ = all_done_ && task->state == TaskState::done;
      if (args_.json) {
        Result<Value> item = task_to_json(board, *task);
        if (!item) return fail(item.error());
        ended_.push(std::move(*item));
      } else {
        say("{} is {}", id, state_and_reason(*task));
      }
    }
    return {};
  }

  bool over() const { return open_.empty() || (args_.any && open_.size() < asked_.size()); }
  bool all_done() const { return all_done_; }
  Value& ended() { return ended_; }
  std::string open() const {
    std::string text;
    for (const TaskId id : asked_)
      if (open_.contains(id)) text += (text.empty() ? "" : ", ") + to_string(id);
    return text;
  }

 private:
  const WaitArgs& args_;
  std::vector<TaskId> asked_;
  std::set<TaskId> open_;
  std::set<TaskId> told_;
  Value ended_{Value::Array{}};
  bool all_done_ = true;
};

Result<Exit> wait(const Globals& globals, const WaitArgs& args) {
  Awaited awaited(args);
  if (const Result<void> read = awaited.begin(); !read) return fail(read.error());
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  BoardChanges changes(*directory);
  const Instant begun = read_clocks().mono;
  constexpr Duration longest_pause = seconds(2);
  bool in_time = true;
  bool changed = true;
  while (true) {
    if (changed || !in_time) {
      const Result<BoardView> board = changes.look();
      if (!board) return fail(board.error());
      if (const Result<void> looked = awaited.look(*board); !looked) return fail(looked.error());
      flush_out();
    }
    if (awaited.over() || !in_time) break;
    Duration pause = longest_pause;
    if (args.timeout != unlimited) {
      const Duration left = args.timeout - (read_clocks().mono - begun);
      in_time = left.us > 0;  // one more look after the time is over
      pause = std::min(pause, std::max(left, Duration{}));
    }
    if (pause.us > 0) changed = changes.await(pause);
  }
  if (args.json) print_json(std::move(awaited.ended()));
  if (!awaited.over())
    return fail(Errc::timed_out, fmt::format("not ended within {}: {}", args.timeout, awaited.open()));
  return awaited.all_done() ? Exit::ok : Exit::failed;
}

}  // namespace

Command wait_command() {
  return {"wait",
          "Tasks",
          "Wait until tasks have ended",
          "Prints each task as it ends. Exits 0 if all of them are done, 1 if one ended otherwise (failed,\n"
          "cancelled, skipped, quarantined), 7 if the time is over. With --any the first to end decides.",
          {{"bidboard wait t1 t2 t3 --timeout 10m && make release", "go on when all are done"},
           {"bidboard wait t1 t2 --any --json", "the first that ends, with its result"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<WaitArgs>();
            o.arguments("TASK", args->tasks, "The tasks, t12 or 12");
            o.flag("--any", args->any, "Until one of them has ended");
            o.duration("--timeout", args->timeout, "TIME", "Give up after this long [never]");
            o.flag("--json", args->json, "Print what has ended as JSON");
            return [args](const Globals& globals) { return wait(globals, *args); };
          }};
}

}  // namespace bidboard
