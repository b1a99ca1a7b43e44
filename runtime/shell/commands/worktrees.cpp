// worktrees: what the attempts of this board have left in git worktrees; and the process that runs a command
// in one.

#include <algorithm>
#include <fstream>
#include <sstream>

#include "agents/worktrees/in_worktree.hpp"
#include "agents/worktrees/worktree.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct WorktreesArgs {
  bool clean = false;
  bool json = false;
};

/// Whether the attempt still holds its task. Its process may be on its way to end, or not begun.
bool is_live(const BoardView& board, const FoundWorktree& found) {
  if (found.in_use) return true;
  if (!found.mark) return false;
  const Result<Task> task = board.task(found.mark->task);
  return task && is_held(task->state) && task->epoch == found.mark->epoch;
}

std::string state_of(const BoardView& board, const FoundWorktree& found) {
  if (!found.mark) return "-";
  const Result<Task> task = board.task(found.mark->task);
  return task ? std::string(name(task->state)) : "gone";
}

std::string work_of(const BoardView& board, const FoundWorktree& found) {
  if (!found.trouble.empty()) return found.trouble;
  if (is_live(board, found)) return found.dirty ? "in use, with changes" : "in use";
  if (found.dirty) return "changes that are in no commit";
  return found.branch.empty() || !found.unsafe.empty() ? "a commit that is in no branch" : "safe";
}

Value to_json_value(const BoardView& board, const FoundWorktree& found) {
  Value item;
  item.set("path", found.path);
  item.set("task", found.mark ? Value(to_string(found.mark->task)) : Value());
  item.set("epoch", found.mark ? Value(found.mark->epoch.value) : Value());
  item.set("agent", found.mark ? Value(found.mark->agent) : Value());
  item.set("state", state_of(board, found));
  item.set("branch", found.branch);
  item.set("commit", found.commit);
  item.set("dirty", found.dirty);
  item.set("in_use", is_live(board, found));
  Value unsafe{Value::Array{}};
  for (const std::string& commit : found.unsafe) unsafe.push(Value(commit));
  item.set("unsafe", std::move(unsafe));
  item.set("trouble", found.trouble);
  return item;
}

Result<Exit> clean(const BoardView& board, const std::vector<FoundWorktree>& all) {
  bool stays = false;
  for (const FoundWorktree& found : all) {
    std::string why;
    if (is_live(board, found)) {
      say("{} stays: a task is being worked on in it", found.path);
      continue;
    }
    const Result<bool> removed = clean_worktree(found, why);
    if (!removed) why = removed.error().text;
    stays = stays || !removed || !*removed;
    if (removed && *removed)
      say("{} removed{}", found.path,
          found.dirty || found.branch.empty() || !found.unsafe.empty()
              ? "; what was unsaved is in a branch bidboard/kept/"
              : "");
    else
      say("{} stays: {}", found.path, why);
  }
  if (all.empty()) say("No worktrees.");
  return stays ? Exit::failed : Exit::ok;
}

Result<Exit> worktrees(const Globals& globals, const WorktreesArgs& args) {
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  const Result<std::vector<FoundWorktree>> all = list_worktrees(board->directory().path + "/worktrees");
  if (!all) return fail(all.error());
  if (args.clean) return clean(*board, *all);
  if (args.json) {
    Value list{Value::Array{}};
    for (const FoundWorktree& found : *all) list.push(to_json_value(*board, found));
    print_json(std::move(list));
    return Exit::ok;
  }
  Table table({"TASK", "STATE", "AGENT", "COMMIT", "BRANCH", "WORK", "PATH"});
  for (const FoundWorktree& found : *all)
    table.add({found.mark ? to_string(found.mark->task) : "-", state_of(*board, found),
               found.mark ? found.mark->agent : "-", found.commit.substr(0, 12),
               found.branch.empty() ? "-" : found.branch, work_of(*board, found), found.path});
  if (table.empty())
    say("No worktrees. Agents with `worktree: task` work in them (docs/coding-agents.md).");
  else
    table.print();
  return Exit::ok;
}

}  // namespace

Command worktrees_command() {
  return {"worktrees",
          "Agents",
          "List the git worktrees of this board, or remove those whose work is safe",
          "An attempt of an agent with `worktree: task` removes its worktree when its work is in the branch\n"
          "bidboard/t12. What a killed attempt leaves is listed here. --clean commits what is unsaved to a\n"
          "branch bidboard/kept/..., then removes the worktree. It leaves those in which a task is being\n"
          "worked on, and those whose work cannot be saved.",
          {{"bidboard worktrees", "task, state, commit and branch of each"},
           {"bidboard worktrees --clean", "save what is unsaved, remove what is safe"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<WorktreesArgs>();
            o.flag("--clean", args->clean, "Remove those whose work is safe, and make it safe first");
            o.flag("--json", args->json, "Print a list of objects");
            return [args](const Globals& globals) { return worktrees(globals, *args); };
          }};
}

Command in_worktree_command() {
  return {"in-worktree",
          "",
          "Run a task's command in a git worktree; agents start it",
          "",
          {},
          [](Options& o) -> Action0 {
            auto file = std::make_shared<std::string>();
            o.argument("FILE", *file, "What to run, and where");
            return [file](const Globals&) -> Result<Exit> {
              std::ifstream in(*file, std::ios::binary);
              std::stringstream text;
              text << in.rdbuf();
              const Result<WorktreeRun> run = read_run(text.str());
              if (!run) return fail(run.error());
              return static_cast<Exit>(work_in_worktree(*run));
            };
          }};
}

}  // namespace bidboard
