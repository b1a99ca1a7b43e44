// One task in detail, in words: as `show` prints it, and as a session is given it.
#pragma once

#include "runtime/shell/board_view.hpp"

namespace bidboard {

/// Lines; what came from elsewhere is escaped. Errors: as for BoardView.
Result<Shown> task_in_words(const BoardView& board, const Task& task);

}  // namespace bidboard
