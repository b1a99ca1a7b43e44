// A git worktree for the work of one attempt, or for an agent that goes from task to task: opened at the
// commit that the agent's folder is at, with the commits of the needed tasks merged into it; saved as a
// commit in the branch bidboard/t12; closed when all of its work is in a branch. Nothing in the folder itself
// is touched, and nothing is removed before it is in a branch: what an earlier attempt of the task has left
// in bidboard/t12 is kept as bidboard/kept/t12-COMMIT when the branch moves to something else, and so is what
// an attempt has committed and moved away from: by a reset, or in a rebase that did not end.
//
// Every step may be the last one (the process is killed): what is left then is found by its folder, and
// saved and closed by the next attempt of the task, the next task of the agent, or `bidboard worktrees
// --clean`.
//
// The functions block while git works. Not for use from several threads. Edge code.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/guard/task_lock.hpp"
#include "agents/worktrees/worktree_mark.hpp"
#include "blackboard/records.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

struct WorktreeOrder {
  WorktreeMark mark;      ///< without start
  std::string place;      ///< the folder of the board's worktrees
  std::string directory;  ///< of the agent, in a git repository
  std::string below;      ///< the task's own folder, below the agent's; empty: none
  bool per_agent = false;
  std::vector<NeedWork> works;  ///< merged into it, in this order
};

struct OpenWorktree {
  std::string path;
  std::string directory;  ///< in it: what the agent's folder is in the repository
  TaskLock lock;          ///< held while somebody works in it
  std::string note = {};  ///< for people: why it is not the agent's earlier one
};

/// Errors: unavailable (git is not installed), not_found (no repository, no commit in it, or none with the
/// agent's folder: no task at all can have a worktree), conflict (the needs cannot be merged, or the worktree
/// is in use), failed (a disk that is full).
Result<OpenWorktree> open_worktree(const WorktreeOrder& order);

/// Commits everything in it that git does not ignore, and moves the task's branch there. Without changes the
/// branch is put where the attempt began. Errors: conflict (a file has conflict markers that the attempt was
/// to resolve; a rebase or the like is under way), failed. Then nothing is lost: it is all in the worktree.
Result<SavedWork> save_worktree(const std::string& path);

/// The same for what an attempt that was cut off has left: into a branch bidboard/kept/..., unless it is in a
/// branch already; with conflict markers if it has any. Empty: there was nothing to save.
Result<std::string> rescue_worktree(const std::string& path);

/// Removes the worktree if all that is in it is in a branch; the files that git ignores go with it. Else
/// false, with `why` set. Errors: failed.
Result<bool> close_worktree(const std::string& path, std::string& why);

/// A worktree of a board, as it is now.
struct FoundWorktree {
  std::string path;
  std::optional<WorktreeMark> mark;  ///< none: its attempt was cut off before it began
  bool in_use = false;               ///< a process works in it, or did not end
  bool dirty = false;                ///< it has changes that are in no commit
  std::string commit;                ///< what it is at
  std::string branch;                ///< that has this commit; empty: none
  std::vector<std::string> unsafe;   ///< commits that it has left, as by a reset, and that no branch has
  std::string trouble;               ///< why it cannot be looked at; empty: it can
};
/// Those in this folder, by name. Errors: unavailable (git is not installed).
Result<std::vector<FoundWorktree>> list_worktrees(const std::string& place);
/// Saves what is unsaved and removes the worktree. `why`: why it stays. Errors: as rescue_worktree.
Result<bool> clean_worktree(const FoundWorktree& found, std::string& why);

/// The worktree of an attempt, or of an agent, in the folder of the board's worktrees.
std::string worktree_name(const WorktreeOrder& order);
std::string branch_of(TaskId task);
/// Of work that no other branch has; its commit ends the name.
std::string kept_branch_of(TaskId task, const std::string& commit);

}  // namespace bidboard
