// Compaction while a controller serves: a thread verifies a snapshot of the board, then the serving loop runs
// one piece of the compaction per turn, so that no client waits longer than one piece takes. Edge code. For
// the loop's thread.
#pragma once

#include <memory>
#include <vector>

#include "blackboard/board/compaction.hpp"
#include "blackboard/store/store.hpp"
#include "runtime/core/io.hpp"

namespace bidboard {

class CompactionRun {
 public:
  /// REQUIRES: `store` outlives it.
  explicit CompactionRun(Store& store);
  /// Abandons a verification that is running.
  ~CompactionRun();

  /// Starts a compaction, or adds a request to the running one.
  void ask(const CompactionAsked& asked);
  /// Becomes readable when the verification is done; -1: none is running.
  int descriptor() const;
  /// The next commit can be made, or the store needs the compaction to end (Store::awaits_snapshots).
  bool has_work() const;
  /// Makes the next commit, or ends. Returns the replies if it was the last one or failed.
  std::vector<Send> work();

 private:
  struct Proof;
  bool must_end() const;
  std::vector<Send> answer(const Result<Compacted>& result);

  Store& store_;
  std::vector<CompactionAsked> waiting_;
  std::unique_ptr<Snapshot> snapshot_;
  Error no_snapshot_;  ///< why there is no snapshot
  std::unique_ptr<Proof> proof_;
  std::unique_ptr<Compaction> compaction_;
};

}  // namespace bidboard
