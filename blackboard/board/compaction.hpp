// Compaction: a copy of the board's records becomes the base from which the log is replayed, and the log up
// to there is taken away. Invariant: base + log = records (verify.hpp proves it). Events that hold the record
// of an auction stay, so that `explain` still has the reasons. Pure: works on any Store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/store/store.hpp"

namespace bidboard {

struct Base {
  Seq seq;  ///< the records as they were after this event
  Term term;
  char generation = '0';  ///< which of two prefixes the copy is under (keys.hpp)
};

/// Nothing: the board was never compacted, its log is complete. Errors: as Snapshot::get.
Result<std::optional<Base>> base_of(const Snapshot& snapshot);

struct Compacted {
  Base base;
  std::uint64_t removed = 0;  ///< events taken out of the log
  std::uint64_t kept = 0;     ///< of those up to the base: auctions
};

/// Findings that forbid a compaction, since the log is still needed: empty when the board is whole. Slow (it
/// replays the log); may run in a thread of its own over a snapshot of its own.
std::vector<std::string> reasons_against_compaction(const Snapshot& snapshot);

/// A compaction in commits of bounded size, between which the board's writer may go on. A crash between any
/// two of them leaves a whole board with the old base or the new one, and the next compaction clears what is
/// left over. For one thread.
class Compaction {
 public:
  /// Makes what `source` shows the base: a snapshot of the store, found whole before; or the store itself
  /// when it has no other writer meanwhile. REQUIRES: both outlive it.
  Compaction(Store& store, const Snapshot& source);
  ~Compaction();
  /// One piece: a bounded number of entries looked at and at most one commit. True: it is done. Errors:
  /// storage, corrupt; the copy made so far is taken away, as far as that works.
  Result<bool> step();
  const Compacted& result() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// All of it. REQUIRES: the store has no other writer meanwhile. Errors: corrupt (the board is not what its
/// log says: nothing was changed, the findings are in the text), storage.
Result<Compacted> compact(Store& store);
/// The error that findings make.
Error refuse_compaction(const std::vector<std::string>& findings);

}  // namespace bidboard
