// merge: brings the work of finished tasks into a branch, in the order of their needs, oldest first.

#include <algorithm>
#include <set>

#include "agents/worktrees/merging.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/merge_queue.hpp"
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

/// What a task that settles a merge is told, at most: together far below what a body may have, also when each
/// byte is a line to be quoted.
constexpr std::size_t task_bytes = 64 << 10;
constexpr std::size_t files_bytes = 16 << 10;
constexpr std::size_t outcome_bytes = 4'000;
constexpr std::size_t title_bytes = 200;

/// Lines of the text behind "> ", so that what others wrote is not mistaken for instructions. `rest`: where
/// all of it can be read, if it has more bytes than these.
std::string quoted_lines(const std::string& whole, std::size_t bytes, const std::string& rest) {
  const std::string_view text = utf8_prefix(whole, bytes);
  std::string out;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    out += fmt::format("> {}\n", text.substr(from, end - from));
    from = end + 1;
  }
  if (text.size() < whole.size()) out += fmt::format("(there is more: {} has all of it)\n", rest);
  return out;
}

/// A task's author, and the beginning of its result.
struct Background {
  std::string author;
  std::string outcome;
};
Result<Background> background_of(const Globals& globals, const Task& task) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  Result<std::string> outcome = board->result_of(task);
  return Background{board->agent_name(task.holder), outcome ? std::move(*outcome) : std::string()};
}

TaskSpec conflict_task(const Task& task, const Merging& merging, const MergeResult& result,
                       const std::string& outcome) {
  TaskSpec spec;
  std::string files = result.files;
  std::ranges::replace(files, '\n', ' ');
  spec.title = utf8_prefix(fmt::format("Merge {} into {}: conflict in {}", task.id, merging.into(), files),
                           title_bytes);
  const std::string show = fmt::format("`bidboard show {}`", task.id);
  spec.body = fmt::format(
      "The work of {} conflicts with what has come into {} meanwhile. In a worktree of your own:\n\n"
      "    git checkout --detach {}\n    git merge {}\n\n"
      "Resolve the conflicts so that both sides keep what they are for, and commit. The merge itself has to "
      "be "
      "in what you leave: not squashed, not copied by cherry-pick or rebase.\n\n"
      "Files in conflict:\n{}\nThe task ({}):\n{}\nWhat it delivered:\n{}\n"
      "What came into {} meanwhile in these files:\n{}",
      task.id, merging.into(), merging.into(), task.commit,
      quoted_lines(result.files, files_bytes, "git status"), task.id,
      quoted_lines(task.spec.title + "\n" + task.spec.body, task_bytes, show),
      quoted_lines(outcome, outcome_bytes, show), merging.into(),
      quoted_lines(merging.others_on(task.commit, result.files), files_bytes,
                   fmt::format("git log {}..{}", task.commit, merging.into())));
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
      task.id, author, merging.into(), check, merging.into(),
      quoted_lines(result.output, files_bytes, "the command"));
  spec.needs = {{task.id, false}};
  return spec;
}

Result<TaskId> post_fix(const Globals& globals, const Merging& merging, const Waiting& waiting,
                        TaskSpec spec) {
  const Result<Target> board = find_target(globals);
  if (!board) return fail(board.error());
  const Task& task = waiting.task;
  spec.kind = fix_kind;
  spec.project = task.spec.project;
  spec.priority = task.spec.priority;
  spec.skills = task.spec.skills;
  for (std::uint64_t number = waiting.next_fix;; ++number) {
    spec.key = fix_key(merging.into(), task, number);
    Post post;
    post.tasks.push_back(spec);
    const Result<Posted> posted = call_for<Posted>(*board, std::move(post), caller());
    if (!posted) return fail(posted.error());
    // Else somebody has taken the key meanwhile, and it is not known for what.
    if (posted->existed.empty() || !posted->existed.front()) return posted->ids.front();
  }
}

/// A conflict, or a check that fails: what becomes of it, in words.
Result<std::string> hand_on(const Globals& globals, const Merging& merging, const std::string& check,
                            const Waiting& waiting, const MergeResult& result) {
  const bool conflict = result.end == MergeEnd::conflict;
  if (waiting.settled_in)
    return fmt::format("{}; {} settles that: `bidboard merge {}`",
                       conflict ? "conflicts with " + merging.into() : "merges, but the check fails",
                       waiting.settled_in, waiting.settled_in);
  TaskId fix = waiting.fix;
  if (!fix) {
    const Result<Background> background = background_of(globals, waiting.task);
    if (!background) return fail(background.error());
    const Result<TaskId> posted =
        post_fix(globals, merging, waiting,
                 conflict ? conflict_task(waiting.task, merging, result, background->outcome)
                          : check_task(waiting.task, merging, result, check, background->author));
    if (!posted) return fail(posted.error());
    fix = *posted;
  }
  return conflict ? fmt::format("conflicts with {}; {} is to resolve it", merging.into(), fix)
                  : fmt::format("merges, but the check fails; {} is to correct it", fix);
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
  return hand_on(globals, merging, check, waiting, *result);
}

Result<Exit> show_queue(const std::vector<Waiting>& queue, const Merging& merging, bool json) {
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

/// What is read of the board, which is closed again before git works: that may take long, and what it leads
/// to is posted on the same board.
struct Question {
  MergePlace place;
  std::set<TaskId> chosen;
  std::vector<Task> tasks;
};
Result<Question> read_board(const Globals& globals, const MergeArgs& args) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  Result<Settings> settings = load_settings(board->directory());
  if (!settings) return fail(settings.error());
  Question question;
  MergePlace& place = question.place;
  place.repository = args.dir.empty() ? board->directory().home() : args.dir;
  place.into = args.into.empty() ? settings->merge.into : args.into;
  place.check = args.check.empty() ? settings->merge.check : args.check;
  place.place = board->directory().path + "/worktrees";
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
    question.chosen.insert(*id);
  }
  Result<std::vector<Task>> tasks = board->tasks();
  if (!tasks) return fail(tasks.error());
  std::erase_if(*tasks, [](const Task& task) { return !concerns_merging(task); });
  question.tasks = std::move(*tasks);
  return question;
}

Result<Exit> merge(const Globals& globals, const MergeArgs& args) {
  Result<Question> question = read_board(globals, args);
  if (!question) return fail(question.error());
  const std::string check = question->place.check;
  const std::set<TaskId>& chosen = question->chosen;
  Result<Merging> merging = Merging::begin(std::move(question->place));
  if (!merging) return fail(merging.error());
  Result<MergeQueue> queue = MergeQueue::of(std::move(question->tasks), *merging, chosen);
  if (!queue) return fail(queue.error());
  if (chosen.empty() && !args.all) return show_queue(queue->waiting(), *merging, args.json);

  bool all_merged = true;
  for (const Waiting& waiting : queue->waiting()) {
    const Task& task = waiting.task;
    if (!chosen.empty() && !chosen.contains(task.id)) continue;
    const TaskId need = queue->missing_for(task);
    std::string words = waiting.why;
    MergeEnd end = MergeEnd::blocked;
    bool comes_later = false;
    // One that was asked for by name is tried in any case.
    if (need) {
      words = fmt::format("waits for {}, which it needs", need);
    } else if (words.empty() || chosen.contains(task.id)) {
      Result<std::string> said = merge_one(globals, *merging, check, waiting, end);
      if (!said && said.error().code == Errc::unavailable) return fail(said.error());
      words = said ? std::move(*said) : fmt::format("waits: {}", said.error().text);
    } else {
      comes_later = bool(waiting.settled_in);
    }
    say("{} {}", task.id, words);
    const bool in = end == MergeEnd::merged || end == MergeEnd::already;
    queue->settle(waiting, in);
    all_merged = all_merged && (in || comes_later);
  }
  if (queue->waiting().empty()) say("All work of done tasks is in {}.", merging->into());
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
