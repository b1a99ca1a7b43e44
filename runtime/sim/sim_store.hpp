// The simulated disk: a memory store whose commits can fail. Committed data outlives the node that wrote it,
// everything else is lost with the node. For one thread.
#pragma once

#include "blackboard/store/memory_store.hpp"

namespace bidboard::sim {

class SimStore final : public MemoryStore {
 public:
  /// This many of the next commits fail and change nothing.
  void fail_commits(int count) { commits_to_fail_ = count; }
  bool fails_next() const { return commits_to_fail_ > 0; }

  Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                      std::span<const Put> puts) override;

  std::uint64_t commits() const { return commits_; }
  std::uint64_t failed_commits() const { return failed_; }

 private:
  int commits_to_fail_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace bidboard::sim
