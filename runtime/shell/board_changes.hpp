// Waiting for a board to change: on the feed of the controller that serves it, so that nobody reads the board
// while nothing happens; without a controller by looking now and then.
#pragma once

#include <memory>

#include "runtime/home/board_directory.hpp"
#include "runtime/net/client.hpp"

namespace bidboard {

class BoardChanges {
 public:
  explicit BoardChanges(const BoardDirectory& board) : board_(board) {}
  /// The board was looked at, and showed the events up to this one.
  void looked(Seq last);
  /// Until something may have changed since the last look, or for this long; without a controller for half a
  /// second at most. False: nothing has changed.
  bool await(Duration longest);

 private:
  bool open_feed(const Writer& writer);

  const BoardDirectory& board_;
  std::unique_ptr<Feed> feed_;
  std::int64_t feed_of_ = 0;
  Seq seen_;
  Instant looked_at_;
  Instant heard_;  ///< when the feed last said where the log ends
};

}  // namespace bidboard
