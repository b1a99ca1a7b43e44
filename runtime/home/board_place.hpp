// Notices that a board's folder or its store was moved, removed or replaced while processes work on it. They
// hold its files open, so that nothing fails by itself: they would go on for ever where no command finds
// them, or on another board. Edge code.
#pragma once

#include <sys/types.h>

#include <optional>

#include "blackboard/result.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {

class BoardPlace {
 public:
  /// How long a loss may go unnoticed: the interval at which look() is due.
  static constexpr Duration look_interval = seconds(2);

  /// The folder as it is now.
  explicit BoardPlace(const BoardDirectory& board);

  /// When look() has something to do.
  Instant next_look() const { return next_look_; }
  /// Whether the path still leads to the same folder and store. Errors: unavailable, when it does not.
  Result<void> check() const;
  /// check(), once per look_interval.
  Result<void> look(Instant now);

 private:
  const BoardDirectory board_;
  using FileId = std::optional<std::pair<dev_t, ino_t>>;

  FileId folder_;
  FileId store_;  ///< nothing: there was none yet
  Instant next_look_;
};

}  // namespace bidboard
