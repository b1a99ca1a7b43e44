// Text in tasks and in what was found on the way, for whoever lists it.
#pragma once

#include <string>
#include <vector>

#include "runtime/shell/board_view.hpp"

namespace bidboard {

/// One place where a text was found.
struct Hit {
  std::string id;     ///< of the task
  std::string state;  ///< of the task
  std::string where;  ///< title, body, result, ...
  std::string line;   ///< the line around the first word
};

/// Texts that have all the words, in any order; capital letters of ASCII do not count. Errors: invalid (an
/// empty word); as for BoardView.
Result<std::vector<Hit>> find_text(const BoardView& board, const std::vector<std::string>& words);

}  // namespace bidboard
