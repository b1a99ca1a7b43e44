// merge: brings the work of finished tasks into a branch, in the order of their needs, oldest first.

#include <algorithm>
#include <map>
#include <set>

#include "agents/worktrees/merging.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct MergeArgs {
  std::vector<std::string> tasks;
  bool all = false;
  std::string into;
  std::string check;
  std::string dir;
  bool json = false;
};

/// What a task that resolves a conflict is told of a result.
constexpr std::size_t outcome_bytes = 4'000;

/// A task whose work is not in the branch yet.
struct Waiting {
  Task task;
  std::string author;   ///< the agent that did it
  std::string outcome;  ///< the beginning of its result
  std::string why;      ///< why it is not merged now; empty: it can be tried
  TaskId settled_in{};  ///< this task resolves what keeps it back, and is done: its branch has both
};

/// Of the task that resolves a conflict, or makes the check succeed: one for each commit.
std::string key_of(const Task& task) { return fmt::format("merge/{}/{}", task.id, task.commit); }

class MergeQueue {
 public:
  explicit MergeQueue(const Merging& merging) : merging_(merging) {}

  /// Done tasks with a commit that the branch does not have: each after those that it needs, else the one
  /// that was done first.
  Result<void> fill(const BoardView& board) {
    Result<std::vector<Task>> tasks = board.tasks();
    if (!tasks) return fail(tasks.error());
    std::map<std::string, const Task*> by_key;
    for (const Task& task : *tasks)
      if (task.spec.key.starts_with("merge/")) by_key[task.spec.key] = &task;
    std::map<TaskId, Waiting> open;
    for (const Task& task : *tasks) {
      if (task.state != TaskState::done || task.commit.empty()) continue;
      const Result<bool> has = merging_.has(task.commit);
      if (!has) return fail(has.error());
      if (*has) continue;
      const Result<std::string> outcome = board.result_of(task);
      Waiting waiting{
          task, board.agent_name(task.holder), outcome ? outcome->substr(0, outcome_bytes) : "", {}, {}};
      const auto fix = by_key.find(key_of(task));
      if (fix != by_key.end()) follow(*fix->second, waiting);
      open.emplace(task.id, std::move(waiting));
    }
    put_in_order(open);
    return {};
  }
  std::vector<Waiting>& waiting() { return waiting_; }

 private:
  static void follow(const Task& fix, Waiting& waiting) {
    if (fix.state == TaskState::done && !fix.commit.empty())
      waiting.settled_in = fix.id, waiting.why = fmt::format("comes with {}", fix.id);
    else if (is_over(fix.state))
      waiting.why = fmt::format("{}, which was to settle it, is {}", fix.id, fix.state);
    else
      waiting.why = fmt::format("waits for {}: {}", fix.id, fix.spec.title);
  }

  void put_in_order(std::map<TaskId, Waiting>& open) {
    std::vector<TaskId> oldest;
    for (const auto& [id, waiting] : open) oldest.push_back(id);
    std::ranges::stable_sort(oldest, {}, [&](TaskId id) { return open.at(id).task.finished_at.us; });
    std::set<TaskId> placed;
    while (placed.size() < open.size()) {
      const auto next = std::ranges::find_if(oldest, [&](TaskId id) {
        if (placed.contains(id)) return false;
        return std::ranges::all_of(open.at(id).task.spec.needs, [&](const Need& need) {
          return !open.contains(need.task) || placed.contains(need.task);
        });
      });
      placed.insert(*next);  // needs form no cycle, so there is one
      waiting_.push_back(std::move(open.at(*next)));
    }
  }

  const Merging& merging_;
  std::vector<Waiting> waiting_;
};

/// Lines of the text behind "> ": what others wrote is not mistaken for instructions.
std::string quoted_lines(const std::string& text) {
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    out += fmt::format("> {}\n", text.substr(from, end - from));
    from = end + 1;
  }
  return out;
}

TaskSpec conflict_task(const Task& task, const Merging& merging, const MergeResult& result,
                       const std::string& outcome) {
  TaskSpec spec;
  std::string files = result.files;
  std::ranges::replace(files, '\n', ' ');
  spec.title = fmt::format("Merge {} into {}: conflict in {}", task.id, merging.into(), files).substr(0, 200);
  spec.body = fmt::format(
      "The work of {} conflicts with what has come into {} meanwhile. In a worktree of your own:\n\n"
      "    git checkout --detach {}\n    git merge {}\n\n"
      "Resolve the conflicts so that both sides keep what they are for, and commit.\n\n"
      "Files in conflict:\n{}\nThe task ({}):\n{}\nWhat it delivered:\n{}\n"
      "What came into {} meanwhile in these files:\n{}",
      task.id, merging.into(), merging.into(), task.commit, quoted_lines(result.files), task.id,
      quoted_lines(task.spec.title + "\n" + task.spec.body), quoted_lines(outcome), merging.into(),
      quoted_lines(merging.others_on(task.commit, result.files)));
  return spec;
}

TaskSpec check_task(const Task& task, const Merging& merging, const MergeResult& result,
                    const std::string& check, const std::string& author) {
  TaskSpec spec;
  spec.title = fmt::format("The check fails after {} is merged into {}", task.id, merging.into());
  spec.body = fmt::format(
      "The work of {} (by {}) merges into {}, but then this command fails:\n\n    {}\n\n"
      "Your worktree begins with that work. Bring in the rest and correct it:\n\n    git merge {}\n\n"
      "The last lines of the command:\n{}",
      task.id, author, merging.into(), check, merging.into(), quoted_lines(result.output));
  spec.needs = {{task.id, false}};
  return spec;
}

/// Posted once for each commit.
Result<TaskId> post_fix(const Globals& globals, const Task& task, TaskSpec spec) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  spec.kind = "merge";
  spec.key = key_of(task);
  spec.project = task.spec.project;
  spec.priority = task.spec.priority;
  spec.skills = task.spec.skills;
  Post post;
  post.tasks.push_back(std::move(spec));
  const Result<Posted> posted = call_for<Posted>(*board, std::move(post), caller());
  if (!posted) return fail(posted.error());
  return posted->ids.front();
}

/// One try; what became of it, in words.
Result<std::string> merge_one(const Globals& globals, Merging& merging, const std::string& check,
                              const Waiting& waiting, MergeEnd& end) {
  const Task& task = waiting.task;
  const Result<MergeResult> result = merging.merge(task.id, task.spec.title, task.commit);
  if (!result) return fail(result.error());
  end = result->end;
  switch (result->end) {
    case MergeEnd::merged:
      return fmt::format("merged into {} at {}", merging.into(), result->target.substr(0, 12));
    case MergeEnd::already:
      return fmt::format("is in {} already", merging.into());
    case MergeEnd::blocked:
      return fmt::format("waits: {}", result->output);
    case MergeEnd::conflict:
    case MergeEnd::check_failed:
      break;
  }
  const bool conflict = result->end == MergeEnd::conflict;
  const Result<TaskId> fix = post_fix(globals, task,
                                      conflict ? conflict_task(task, merging, *result, waiting.outcome)
                                               : check_task(task, merging, *result, check, waiting.author));
  if (!fix) return fail(fix.error());
  return conflict ? fmt::format("conflicts with {}; {} is to resolve it", merging.into(), *fix)
                  : fmt::format("merges, but the check fails; {} is to correct it", *fix);
}

Result<Exit> show_queue(std::vector<Waiting>& queue, const Merging& merging, bool json) {
  if (json) {
    Value list{Value::Array{}};
    for (const Waiting& waiting : queue) {
      Value item;
      item.set("task", to_string(waiting.task.id));
      item.set("title", waiting.task.spec.title);
      item.set("branch", waiting.task.branch);
      item.set("commit", waiting.task.commit);
      item.set("waits", waiting.why);
      list.push(std::move(item));
    }
    print_json(std::move(list));
    return Exit::ok;
  }
  Table table({"TASK", "COMMIT", "BRANCH", "STATE", "TITLE"});
  for (const Waiting& waiting : queue)
    table.add({to_string(waiting.task.id), waiting.task.commit.substr(0, 12), waiting.task.branch,
               waiting.why.empty() ? "to be merged" : waiting.why, waiting.task.spec.title});
  if (table.empty()) {
    say("All work of done tasks is in {}.", merging.into());
    return Exit::ok;
  }
  table.print();
  say("`bidboard merge --all` merges them into {} in this order.", merging.into());
  return Exit::ok;
}

Result<Exit> merge(const Globals& globals, const MergeArgs& args) {
  std::optional<Result<BoardView>> opened(BoardView::open(globals));
  Result<BoardView>& board = *opened;
  if (!board) return fail(board.error());
  Result<Settings> settings = load_settings(board->directory());
  if (!settings) return fail(settings.error());
  MergePlace place;
  place.repository = args.dir.empty() ? board->directory().home() : args.dir;
  place.into = args.into.empty() ? settings->merge.into : args.into;
  place.check = args.check.empty() ? settings->merge.check : args.check;
  place.place = board->directory().path + "/worktrees";
  const std::string check = place.check;
  std::set<TaskId> chosen;
  for (const std::string& text : args.tasks) {
    const Result<TaskId> id = read_task_id(text);
    if (!id) return fail(id.error());
    const Result<Task> task = board->task(*id);
    if (!task) return fail(task.error());
    if (task->state != TaskState::done || task->commit.empty())
      return fail(Errc::conflict,
                  task->state != TaskState::done
                      ? fmt::format("{} is {}: only the work of done tasks is merged", *id, task->state)
                      : fmt::format("{} was not done in a worktree: it has no commit", *id));
    chosen.insert(*id);
  }
  Result<Merging> merging = Merging::begin(std::move(place));
  if (!merging) return fail(merging.error());
  MergeQueue queue(*merging);
  if (auto filled = queue.fill(*board); !filled) return fail(filled.error());
  opened.reset();  // checks may take long, and what they lead to is posted on the same board
  if (chosen.empty() && !args.all) return show_queue(queue.waiting(), *merging, args.json);

  bool all_merged = true;
  std::set<TaskId> kept_back;  // and so are those that need them
  for (const Waiting& waiting : queue.waiting()) {
    const Task& task = waiting.task;
    if (!chosen.empty() && !chosen.contains(task.id)) continue;
    const auto need =
        std::ranges::find_if(task.spec.needs, [&](const Need& one) { return kept_back.contains(one.task); });
    std::string words = waiting.why;
    MergeEnd end = MergeEnd::blocked;
    // One that was asked for by name is tried in any case.
    if (need != task.spec.needs.end()) {
      words = fmt::format("waits for {}, which it needs", need->task);
    } else if (words.empty() || chosen.contains(task.id)) {
      Result<std::string> said = merge_one(globals, *merging, check, waiting, end);
      if (!said) return fail(said.error());
      words = std::move(*said);
    }
    say("{} {}", task.id, words);
    const bool in = end == MergeEnd::merged || end == MergeEnd::already;
    if (!in && !waiting.settled_in) kept_back.insert(task.id);
    all_merged = all_merged && (in || waiting.settled_in);
  }
  if (queue.waiting().empty()) say("All work of done tasks is in {}.", merging->into());
  return all_merged ? Exit::ok : Exit::conflict;
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
      "unless it has uncommitted changes. Exit code 5: something was not merged.",
      {{"bidboard merge", "the queue"},
       {"bidboard merge --all",
        "all of it, into the branch of `merge:` in bidboard.yaml, or the present "
        "one"},
       {"bidboard merge t3 --into main --check ./test", "this one, after its check"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<MergeArgs>();
        o.arguments("TASK", args->tasks, "The tasks, t12 or 12", false);
        o.flag("--all", args->all, "All that wait");
        o.text("--into", args->into, "BRANCH", "The branch that gets the work");
        o.text("--check", args->check, "CMD", "Must succeed on the merged files");
        o.text("--dir", args->dir, "DIR", "A folder of the repository [the board's folder]");
        o.flag("--json", args->json, "Print the queue as a list of objects");
        return [args](const Globals& globals) { return merge(globals, *args); };
      }};
}

}  // namespace bidboard
