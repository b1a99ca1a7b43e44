// Where the work of attempts is that ran in git worktrees: parts of records and messages, plain data.
// BB_FIELDS is the stored order: append, never remove or reorder.
#pragma once

#include <string>

#include "blackboard/fields.hpp"
#include "blackboard/ids.hpp"

namespace bidboard {

/// Where in a git repository the work of an attempt is (agents/worktrees/).
struct SavedWork {
  std::string branch;  ///< bidboard/t12: it may move on
  std::string commit;  ///< its name in hexadecimal; empty: the attempt had no worktree
  bool operator==(const SavedWork&) const = default;
  BB_FIELDS(branch, commit)
};
/// The work of a needed task, where it had a worktree.
struct NeedWork {
  TaskId task;
  std::string commit;
  bool operator==(const NeedWork&) const = default;
  BB_FIELDS(task, commit)
};
/// Whether it can be what git names: nothing else reaches a command line.
bool is_plausible(const SavedWork& work);

}  // namespace bidboard
