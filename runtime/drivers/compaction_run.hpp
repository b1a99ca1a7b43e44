// Compaction while a controller serves: a thread proves a snapshot of the board whole, then the serving loop
// makes one piece of the compaction per turn, so that nobody waits for longer than that. Edge code. For the
// thread of the loop.
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
  /// A proof under way is given up.
  ~CompactionRun();

  /// Begins, or lets one more wait for what has begun.
  void ask(const CompactionAsked& asked);
  /// Becomes readable when the proof is done; -1: no proof is under way.
  int descriptor() const;
  /// The next commit can be made.
  bool has_work() const;
  /// Makes it. The answers, when that was the last one or it failed.
  std::vector<Send> work();

 private:
  struct Proof;
  std::vector<Send> answer(const Result<Compacted>& result);

  Store& store_;
  std::vector<CompactionAsked> waiting_;
  std::unique_ptr<Snapshot> snapshot_;
  Error no_snapshot_;  ///< why there is none
  std::unique_ptr<Proof> proof_;
  std::unique_ptr<Compaction> compaction_;
};

}  // namespace bidboard
