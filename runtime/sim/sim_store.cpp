#include "runtime/sim/sim_store.hpp"

namespace bidboard::sim {

Result<void> SimStore::commit(Seq expected_seq, Term term, std::span<const std::string> events,
                              std::span<const Put> puts) {
  if (commits_to_fail_ > 0) {
    --commits_to_fail_;
    ++failed_;
    return fail(Errc::storage, "the disk is full");
  }
  ++commits_;
  return MemoryStore::commit(expected_seq, term, events, puts);
}

}  // namespace bidboard::sim
