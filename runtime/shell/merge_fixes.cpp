#include "runtime/shell/merge_fixes.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

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
  spec.title = fmt::format("Correct {}, whose merge into {} fails the check", task.id, merging.into());
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

}  // namespace

Result<std::string> hand_on(const Globals& globals, const Merging& merging, const std::string& check,
                            const Waiting& waiting, const MergeResult& result, bool asked) {
  const bool conflict = result.end == MergeEnd::conflict;
  if (waiting.settled_in)
    return fmt::format("{}; {} settles that: `bidboard merge {}`",
                       conflict ? "conflicts with " + merging.into() : "merges, but the check fails",
                       waiting.settled_in, waiting.settled_in);
  if (!waiting.fix && waiting.fix_of_fixes >= fixes_max && !asked)
    return fmt::format(
        "{}, and {} fixes in a row did not settle that: look at it; `bidboard merge {}` tries it again, and "
        "posts another task if need be",
        conflict ? "conflicts with " + merging.into() : "merges, but the check fails", waiting.fix_of_fixes,
        waiting.task.id);
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

}  // namespace bidboard
