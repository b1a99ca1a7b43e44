// Whose work is in a worktree: a file that git keeps with it, outside of its files. Edge code.
#pragma once

#include <optional>
#include <string>

#include "agents/worktrees/git.hpp"
#include "blackboard/ids.hpp"

namespace bidboard {

struct WorktreeMark {
  std::string board;  ///< its path; for people
  TaskId task;
  Epoch epoch;
  std::string agent;
  std::string title;  ///< of the task: the subject of its commits
  std::string start;  ///< the commit at which the attempt began
};

/// Replaces the file as a whole. Errors: failed.
Result<void> write_mark(const Git& git, const WorktreeMark& mark);
/// None: no attempt has begun in it, or it is done with.
std::optional<WorktreeMark> read_mark(const Git& git);
/// The agent is done with this task: nothing that appears in its worktree from now on belongs to it.
void forget_task(const std::string& path);

/// Of the commits of what an attempt leaves.
std::string message_of(const WorktreeMark& mark);

}  // namespace bidboard
