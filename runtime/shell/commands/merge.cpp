// merge: brings the work of finished tasks into a branch, in the order of their needs, oldest first.

#include <poll.h>

#include <algorithm>
#include <map>
#include <optional>
#include <tuple>

#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/shell/board_changes.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/merge_round.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/push_round.hpp"

namespace bidboard {
namespace {

struct MergeArgs {
  MergeWish wish;
  std::optional<std::string> into, check, push;  ///< of the wish
  bool all = false;
  bool follow = false;
  bool json = false;
};

Value item_of(const Task& task) {
  Value item;
  item.set("task", to_string(task.id));
  item.set("title", task.spec.title);
  item.set("branch", task.branch);
  item.set("commit", task.commit);
  return item;
}

/// Why it is not merged now, as far as is known without a try; empty: it is tried.
std::string why_not(const Waiting& waiting, MergeQueue& queue) {
  const TaskId need = queue.missing_for(waiting.task);
  if (need || (!waiting.why.empty() && !waiting.settled_in)) queue.settle(waiting, false);
  return need ? fmt::format("waits for {}, which it needs", need) : waiting.why;
}

/// The options of the wish, for a command to type next.
std::string spelled(const MergeWish& wish) {
  std::string words;
  for (const auto& [option, value] : {std::pair{"--into", &wish.into},
                                      {"--check", &wish.check},
                                      {"--push", &wish.push},
                                      {"--dir", &wish.dir}})
    if (!value->empty()) words += fmt::format(" {} {}", option, shell_word(*value));
  return words;
}

Result<Exit> show_queue(MergeQueue& queue, const Merging& merging, const MergeArgs& args) {
  Value list{Value::Array{}};
  Table table({"TASK", "COMMIT", "BRANCH", "STATE", "TITLE"});
  bool some_can = false;
  for (const Waiting& waiting : queue.waiting()) {
    const Task& task = waiting.task;
    const std::string why = why_not(waiting, queue);
    some_can = some_can || why.empty();
    Value item = item_of(task);
    item.set("waits", why);
    list.push(std::move(item));
    table.add({to_string(task.id), task.commit.substr(0, 12), task.branch, why.empty() ? "to be merged" : why,
               task.spec.title});
  }
  if (args.json) {
    print_json(std::move(list));
    return Exit::ok;
  }
  table.print();
  const Result<std::string> obstacle = merging.obstacle();
  if (!obstacle) return fail(obstacle.error());
  if (!obstacle->empty())
    say("Nothing is merged now: {}.", *obstacle);
  else if (some_can)
    say("`bidboard merge --all{}` merges them into {} in this order.", spelled(args.wish), merging.into());
  return Exit::ok;
}

constexpr std::string_view no_work =
    "No task has left work in a branch; agents with `worktree: task` or `worktree: agent` do.";
bool has_work(const MergeOrder& order) {
  return std::ranges::any_of(order.tasks, [](const Task& task) { return !task.commit.empty(); });
}

/// Nothing waits: all is there, or there is nothing.
void say_all_is_in(const MergeOrder& order, const Merging& merging) {
  say("{}", has_work(order) ? fmt::format("All work of done tasks is in {}.", merging.into())
                            : std::string(no_work));
}

Result<MergeOrder> read_order(const Globals& globals, const MergeWish& wish) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  return read_merge_order(*board, wish);
}

/// What waits to be pushed, and what was refused before.
Result<void> show_pushes(const Globals& globals, const std::vector<Task>& tasks, const Pushing& pushing,
                         const MergeArgs& args) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  Value list{Value::Array{}};
  Table table({"TASK", "COMMIT", "BRANCH", "STATE", "TITLE"});
  for (const Task& task : tasks) {
    const Result<std::string> refusal = refusal_of(*board, task.id, pushing);
    if (!refusal) return fail(refusal.error());
    Value item = item_of(task);
    item.set("remote", pushing.remote());
    item.set("waits", *refusal);
    list.push(std::move(item));
    const std::string state = refusal->empty() ? fmt::format("to be pushed to {}", pushing.remote())
                                               : fmt::format("was not pushed: {}", *refusal);
    table.add({to_string(task.id), task.commit.substr(0, 12), task.branch, state, task.spec.title});
  }
  if (args.json) {
    print_json(std::move(list));
    return {};
  }
  table.print();
  say("`bidboard merge --all{}` pushes them.", spelled(args.wish));
  return {};
}

Result<Exit> push_once(const Globals& globals, const MergeArgs& args, const MergeOrder& order) {
  Result<Pushing> pushing = Pushing::to(order.place.repository, order.push, order.rehearses);
  if (!pushing) return fail(pushing.error());
  const Result<std::vector<Task>> tasks = to_be_pushed(order, *pushing);
  if (!tasks) return fail(tasks.error());
  if (tasks->empty() && !args.json) {
    say("{}", has_work(order) ? fmt::format("No work waits to be pushed to {}.", pushing->remote())
                              : std::string(no_work));
    return Exit::ok;
  }
  if (order.chosen.empty() && !args.all) {
    if (const Result<void> shown = show_pushes(globals, *tasks, *pushing, args); !shown)
      return fail(shown.error());
    return Exit::ok;
  }
  const Result<bool> all = push_round(
      globals, *tasks, *pushing, [](TaskId task, const std::string& words) { say("{} {}", task, words); });
  if (!all) return fail(all.error());
  return *all ? Exit::ok : Exit::conflict;
}

Result<Exit> merge_once(const Globals& globals, const MergeArgs& args) {
  const Result<MergeOrder> order = read_order(globals, args.wish);
  if (!order) return fail(order.error());
  if (!order->push.empty()) return push_once(globals, args, *order);
  const bool only_shows = order->chosen.empty() && !args.all;
  Result<Merging> merging = only_shows ? Merging::look_at(order->place) : Merging::begin(order->place);
  if (!merging) return fail(merging.error());
  Result<MergeQueue> queue = MergeQueue::of(order->tasks, *merging, order->chosen);
  if (!queue) return fail(queue.error());
  if (only_shows && (args.json || !queue->waiting().empty())) return show_queue(*queue, *merging, args);
  if (only_shows) {
    say_all_is_in(*order, *merging);
    return Exit::ok;
  }
  const Result<bool> all_merged =
      merge_round(globals, *order, *merging, *queue,
                  [](TaskId task, const std::string& words) { say("{} {}", task, words); });
  if (!all_merged) return fail(all_merged.error());
  for (const TaskId task : order->chosen)
    if (std::ranges::find(queue->waiting(), task, [](const Waiting& each) { return each.task.id; }) ==
        queue->waiting().end())
      say("{} is in {} already", task, merging->into());
  if (queue->waiting().empty() && order->chosen.empty()) say_all_is_in(*order, *merging);
  return *all_merged ? Exit::ok : Exit::conflict;
}

/// Round after round: when the board has something new for merging, and now and then while something waits
/// for what is no event of the board (a folder with changes, a check that fails without the work too).
class Follower {
 public:
  explicit Follower(const Globals& globals) : globals_(globals) {}

  /// Errors: of git and the board, but not that another merge is under way.
  Result<void> look(const MergeOrder& order) {
    std::vector<Known> known;
    for (const Task& task : order.tasks) known.emplace_back(task.id, task.state, task.commit);
    const bool is_news = known != known_;
    if (!is_news && read_clocks().mono < next_) return {};
    if (is_news) pause_ = shortest_pause;
    const Instant begun = read_clocks().mono;
    const Result<Round> round = order.push.empty() ? merge(order) : push(order);
    if (!round) return fail(round.error());
    if (*round != Round::busy) known_ = std::move(known);
    const bool all_merged = *round == Round::all;
    // What takes long is not tried all the time.
    const Instant now = read_clocks().mono;
    const std::int64_t times = order.push.empty() ? pause_per_round : 1;
    next_ = all_merged ? never : now + std::max(pause_, Duration{(now - begun).us * times});
    pause_ = std::min(pause_ + pause_, longest_pause);
    return {};
  }
  Instant next() const { return next_; }

 private:
  enum class Round { all, some, busy };  ///< busy: another merge is under way

  Result<Round> merge(const MergeOrder& order) {
    Result<Merging> merging = Merging::begin(order.place);
    if (!merging && merging.error().code == Errc::conflict) return Round::busy;
    if (!merging) return wait_for(merging.error());
    begins();
    Result<MergeQueue> queue = MergeQueue::of(order.tasks, *merging, {});
    if (!queue) return fail(queue.error());
    const Result<bool> all = merge_round(globals_, order, *merging, *queue,
                                         [&](TaskId task, const std::string& words) { tell(task, words); });
    if (!all) return fail(all.error());
    return *all ? Round::all : Round::some;
  }

  Result<Round> push(const MergeOrder& order) {
    Result<Pushing> pushing = Pushing::to(order.place.repository, order.push, order.rehearses);
    if (!pushing) return wait_for(pushing.error());
    begins();
    const Result<std::vector<Task>> tasks = to_be_pushed(order, *pushing);
    if (!tasks) return fail(tasks.error());
    const Result<bool> all = push_round(globals_, *tasks, *pushing,
                                        [&](TaskId task, const std::string& words) { tell(task, words); });
    if (!all) return fail(all.error());
    return *all ? Round::all : Round::some;
  }

  /// A branch or a remote that was there may come back. Errors: the trouble, if nothing could be tried yet.
  Result<Round> wait_for(const Error& trouble) {
    if (!could_begin_) return fail(trouble);
    if (std::exchange(trouble_, trouble.text) != trouble.text) {
      say("waits: {}", trouble.text);
      flush_out();
    }
    return Round::some;
  }

  void begins() {
    could_begin_ = true;
    trouble_.clear();
  }

  using Known = std::tuple<TaskId, TaskState, std::string>;
  static constexpr Duration shortest_pause = seconds(5);
  static constexpr Duration longest_pause = minutes(5);
  /// A pause after merging is at least so many times as long: checks cost.
  static constexpr std::int64_t pause_per_round = 10;

  /// Once, as long as it stays so.
  void tell(TaskId task, const std::string& words) {
    std::string& last = told_[task];
    if (last == words) return;
    say("{} {}", task, words);
    flush_out();
    last = words;
  }

  const Globals& globals_;
  std::vector<Known> known_;
  std::map<TaskId, std::string> told_;
  bool could_begin_ = false;
  std::string trouble_;  ///< why nothing could be tried, told once as long as it stays so
  Instant next_;
  Duration pause_ = shortest_pause;
};

/// Until it is interrupted, which harms nothing (merging.hpp).
Result<Exit> follow(const Globals& globals, const MergeArgs& args) {
  constexpr Duration between_looks = seconds(1);  // many events are one look
  constexpr Duration longest = minutes(1);
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  BoardChanges changes(*directory);
  Follower follower(globals);
  while (true) {
    Result<MergeOrder> order = [&]() -> Result<MergeOrder> {
      const Result<BoardView> board = changes.look();
      if (!board) return fail(board.error());
      return read_merge_order(*board, args.wish);
    }();
    if (!order) return fail(order.error());
    if (const Result<void> looked = follower.look(*order); !looked) return fail(looked.error());
    ::poll(nullptr, 0, static_cast<int>(between_looks.us / 1'000));
    for (bool changed = false; !changed;) {
      const Instant now = read_clocks().mono;
      if (follower.next() <= now) break;
      changed = changes.await(std::min(longest, follower.next() - now));
    }
  }
}

/// An empty word, of a variable that is not set, say, asks for something else than none.
Result<void> take_wish(MergeArgs& args) {
  const std::tuple<const char*, std::optional<std::string>*, std::string*> all[] = {
      {"--into", &args.into, &args.wish.into},
      {"--check", &args.check, &args.wish.check},
      {"--push", &args.push, &args.wish.push}};
  for (const auto& [option, given, wish] : all) {
    if (!*given) continue;
    if ((*given)->empty())
      return fail(Errc::invalid, fmt::format("{} is empty; leave it out, or name one", option));
    *wish = **given;
  }
  return {};
}

Result<Exit> merge(const Globals& globals, const MergeArgs& args) {
  if (args.json && (args.all || args.follow || !args.wish.tasks.empty()))
    return fail(Errc::invalid, "--json prints the queue; leave it out to merge");
  if (!args.follow) return merge_once(globals, args);
  if (!args.wish.tasks.empty())
    return fail(Errc::invalid, "--follow merges all that comes; leave out the tasks, or --follow");
  return follow(globals, args);
}

}  // namespace

Command merge_command() {
  return {
      "merge",
      "Steering",
      "Bring the work of done tasks from their branches into a branch",
      "Without arguments: what waits, in its order. Each task's commit is merged in a temporary worktree,\n"
      "the check runs there, and only then the branch moves. Tasks follow those that they need, else the\n"
      "oldest is first. A conflict, or a check that fails, becomes a task with both sides and their\n"
      "reasons; what it resolves is merged with it. A folder in which the branch is checked out follows,\n"
      "unless it has uncommitted changes. Exit code 5: something was not merged.\n"
      "With --follow, what is done later too, until it is interrupted (`merge: {auto: true}` in\n"
      "bidboard.yaml lets `up` do that). With --batch, as many as wait are checked together; if the check\n"
      "fails, their halves are. With --push, or `merge: {push: origin}`, nothing is merged: the branch of\n"
      "each task is pushed, for a pull request, and what has other commits there stays as it is.",
      {{"bidboard merge", "the queue"},
       {"bidboard merge --all",
        "all of it, into the branch of `merge:` in bidboard.yaml, or the present "
        "one"},
       {"bidboard merge t3 --into main --check ./test", "this one, after its check"},
       {"bidboard merge --all --push origin", "each as a branch of origin"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<MergeArgs>();
        o.arguments("TASK", args->wish.tasks, "The tasks, t12 or 12", false);
        o.flag("--all", args->all, "All that wait");
        o.flag("--follow,-f", args->follow, "All that wait, then each as it is done");
        o.maybe_text("--into", args->into, "BRANCH", "The branch that gets the work");
        o.maybe_text("--check", args->check, "CMD", "Must succeed on the merged files");
        o.integer("--batch", args->wish.batch, "N",
                  "Check up to this many together; 0: as `merge:` in bidboard.yaml says", {0, 1'000});
        o.maybe_text("--push", args->push, "REMOTE", "Merge nothing, push each task's branch there instead");
        o.text("--dir", args->wish.dir, "DIR", "A folder of the repository [the board's folder]");
        o.flag("--json", args->json, "Print the queue as a list of objects");
        return [args](const Globals& globals) -> Result<Exit> {
          if (const Result<void> taken = take_wish(*args); !taken) return fail(taken.error());
          return merge(globals, *args);
        };
      }};
}

}  // namespace bidboard
