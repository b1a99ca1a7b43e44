// Waiting for a board to change: on the feed of the controller that serves it, or by looking now and then.
#pragma once

#include <memory>

#include "runtime/home/board_directory.hpp"
#include "runtime/net/client.hpp"

namespace bidboard {

class BoardChanges {
 public:
  explicit BoardChanges(const BoardDirectory& board) : board_(board) {}
  /// Until something may have changed, or for this long; without a controller for half a second at most.
  void await(Duration longest);

 private:
  const BoardDirectory& board_;
  std::unique_ptr<Feed> feed_;
  std::int64_t feed_of_ = 0;
};

}  // namespace bidboard
