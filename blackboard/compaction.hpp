// Compaction: a copy of the board's records becomes the base from which the log is replayed, and the log up
// to there is taken away. Invariant: base + log = records (verify.hpp proves it). Events that hold the record
// of an auction stay, so that `explain` can still tell why. Pure: works on any Store.
#pragma once

#include <optional>

#include "blackboard/store.hpp"

namespace bidboard {

struct Base {
  Seq seq;  ///< the records as they were after this event
  Term term;
  char generation = '0';  ///< under which of two prefixes the copy stands (keys.hpp)
};

/// Nothing: the board was never compacted, its log is complete.
std::optional<Base> base_of(const Snapshot& snapshot);

struct Compacted {
  Base base;
  std::uint64_t removed = 0;  ///< events taken out of the log
  std::uint64_t kept = 0;     ///< of those up to the base: auctions
};

/// Makes the present the base. In commits of bounded size: a crash between any two of them leaves a whole
/// board with the old base or the new one, and the next compaction clears what is left over. REQUIRES: nobody
/// else writes to the store meanwhile. Errors: corrupt (the board is not what its log says: nothing was
/// changed, the findings are in the text), storage.
Result<Compacted> compact(Store& store);

}  // namespace bidboard
