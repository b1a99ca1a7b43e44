// Waiting for a board to change: on the feed of the controller that serves it, so that nobody reads the board
// while nothing happens; without a controller by looking now and then.
#pragma once

#include <memory>

#include "runtime/home/board_directory.hpp"
#include "runtime/home/board_place.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/board_view.hpp"

namespace bidboard {

class BoardChanges {
 public:
  /// The board that is there now: another one that takes its place is never looked at.
  explicit BoardChanges(const BoardDirectory& board) : board_(board), place_(board) {}
  /// Errors: unavailable (it was moved, removed or replaced).
  Result<void> check() const { return place_.check(); }
  /// The board as it is now. Errors: as BoardView::open; unavailable, as for check().
  Result<BoardView> look();
  /// Until something may have changed since the last look, or for this long; without a controller for half a
  /// second at most. False: nothing has changed.
  bool await(Duration longest);

 private:
  bool open_feed(const Writer& writer);

  const BoardDirectory& board_;
  const BoardPlace place_;
  std::unique_ptr<Feed> feed_;
  std::int64_t feed_of_ = 0;
  Seq seen_;
  Instant looked_at_;
  Instant heard_;  ///< when the feed last said where the log ends
};

}  // namespace bidboard
