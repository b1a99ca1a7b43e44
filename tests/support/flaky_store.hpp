// A MemoryStore whose commits fail when told to, and whose stored bytes can be damaged.
#pragma once

#include "blackboard/store/memory_store.hpp"

namespace bidboard {

class FlakyStore final : public MemoryStore {
 public:
  int commits_to_fail = 0;
  int commits_before_failing = 0;  ///< so many succeed first

  Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                      std::span<const Put> puts) override {
    if (commits_to_fail > 0 && commits_before_failing > 0) {
      --commits_before_failing;
    } else if (commits_to_fail > 0) {
      --commits_to_fail;
      return fail(Errc::storage, "the disk is full");
    }
    return MemoryStore::commit(expected_seq, term, events, puts);
  }

  /// Puts these bytes under the key, past the log; no value: takes the key away. The bytes that stood there.
  std::optional<std::string> replace(const std::string& key, std::optional<std::string> bytes) {
    const auto before = get(key);
    std::optional<std::string> old = before ? std::optional(std::string(*before)) : std::nullopt;
    const Put put{key, std::move(bytes)};
    static_cast<void>(MemoryStore::commit(last_seq(), last_term(), {}, std::span(&put, 1)));
    return old;
  }
};

}  // namespace bidboard
