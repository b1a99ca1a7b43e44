// What the decision core writes and says for each task, recorded from the core itself: so that a program
// without decisions can do the same work (floor.hpp), and so that raw LMDB can be given the same puts
// (store_block.cpp).
#pragma once

#include <string>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/store/store.hpp"

namespace bidboard::bench {

/// One commit: its events, encoded, and the keys it changed.
struct Written {
  std::vector<std::string> events;
  std::vector<Put> puts;
};

struct Recording {
  /// Everything before the first task is finished: configuration, agents, tasks, first awards.
  std::vector<Written> before;
  /// The i-th: the i-th task is started and finished, and another one awarded in its place.
  std::vector<Written> turns;
  std::size_t award_bytes = 0;   ///< of a frame that awards one task
  std::size_t report_bytes = 0;  ///< of a frame that reports one task started and finished
};

/// Lets the core hand so many tasks of the kind that the dispatch block posts to `agents` × `capacity` slots,
/// in memory, one task at a time. Errors: failed, when the core did not award them all.
Result<Recording> record_dispatch(const std::string& strategy, std::int64_t tasks, int agents, int capacity);

}  // namespace bidboard::bench
