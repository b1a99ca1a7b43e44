// Looks a board over and names what is wrong with it. Reads only. Edge code: the reading is done in a child
// process, because a flipped bit in a page of the store can kill its reader, and that too is a finding.
#pragma once

#include <string>
#include <vector>

#include "runtime/home/board_directory.hpp"

namespace bidboard {

struct Symptom {
  bool grave = true;  ///< false: worth knowing, nothing is lost
  std::string text;   ///< what, and what to do about it
};

/// `deep`: also replays the whole log and compares it with the records. Errors: unavailable (no child process
/// could be made).
Result<std::vector<Symptom>> examine(const BoardDirectory& board, bool deep);

}  // namespace bidboard
