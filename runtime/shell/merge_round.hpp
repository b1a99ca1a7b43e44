// One round of merging: what waits, and what becomes of each. Between the rounds nobody holds the board or
// the repository. Edge code.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "agents/worktrees/merging.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/merge_queue.hpp"

namespace bidboard {

/// What was asked for; what is empty, or 0, is as `merge:` in bidboard.yaml says.
struct MergeWish {
  std::vector<std::string> tasks;
  std::string into;
  std::string check;
  std::string push;
  std::string dir;
  std::int64_t batch = 0;
};

/// What is read of the board, which is closed again before git works: that may take long, and what it leads
/// to is posted on the same board.
struct MergeOrder {
  MergePlace place;
  std::string push;         ///< the remote that gets the work instead; empty: it is merged
  bool rehearses = false;   ///< the board is: nothing leaves this machine
  std::int64_t batch = 1;   ///< this many works are checked together, if as many wait
  std::set<TaskId> chosen;  ///< empty: all
  std::vector<Task> tasks;
};
/// Errors: of reading; invalid, not_found, conflict (a task that is chosen has no work to merge).
Result<MergeOrder> read_merge_order(const BoardView& board, const MergeWish& wish);

/// On the board, for people: git itself knows what is merged, and what was pushed. Errors: unavailable (no
/// board can be reached).
Result<void> record_on(const Globals& globals, TaskId task, const std::string& words);

/// Tries what waits, in its order. `tell`: what becomes of each, in words. Whether all was merged, or comes
/// with a task that was. Errors: unavailable (no board can be reached).
Result<bool> merge_round(const Globals& globals, const MergeOrder& order, Merging& merging, MergeQueue& queue,
                         const std::function<void(TaskId, const std::string&)>& tell);

}  // namespace bidboard
