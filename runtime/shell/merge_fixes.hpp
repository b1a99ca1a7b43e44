// A merge that conflicts, or fails its check, becomes a task with both sides and their reasons. Edge code.
#pragma once

#include <string>

#include "agents/worktrees/merging.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/merge_queue.hpp"

namespace bidboard {

/// Posts a task for it, unless there is one, or fixes_max led here and nobody `asked` for another one. What
/// becomes of the work, in words. `result`: a conflict, or a check that failed, of that work alone. Errors:
/// of the board.
Result<std::string> hand_on(const Globals& globals, const Merging& merging, const std::string& check,
                            const Waiting& waiting, const MergeResult& result, bool asked);

}  // namespace bidboard
