// Checks a board and reports its faults. Only reads. Edge code: a child process does the reading, because a
// flipped bit in a page of the store can kill its reader, which is a finding too.
#pragma once

#include <string>
#include <vector>

#include "runtime/home/board_directory.hpp"

namespace bidboard {

struct Symptom {
  bool grave = true;  ///< false: worth knowing, nothing is lost
  std::string text;   ///< what is wrong, and what to do about it
};

/// `deep`: also replays the whole log and compares it with the records. Errors: unavailable (the child
/// process could not be started).
Result<std::vector<Symptom>> examine(const BoardDirectory& board, bool deep);

}  // namespace bidboard
