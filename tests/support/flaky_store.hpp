// A MemoryStore whose commits and reads fail on demand, whose stored bytes can be damaged, and that records
// what was prefetched.
#pragma once

#include "blackboard/store/memory_store.hpp"

namespace bidboard {

class FlakyStore final : public MemoryStore {
 public:
  int commits_to_fail = 0;
  int commits_before_failing = 0;  ///< this many succeed first
  /// Reads of keys with this prefix fail; empty: all of them.
  std::optional<std::string> unreadable;
  mutable std::vector<std::vector<std::string>> prefetched;  ///< a list per call
  mutable std::size_t gets = 0;
  mutable std::size_t visits = 0;  ///< entries that scans came to

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

  Result<std::optional<std::string_view>> get(std::string_view key) const override {
    ++gets;
    if (is_unreadable(key)) return does_not_answer();
    return MemoryStore::get(key);
  }
  /// Fails at the first unreadable key, and when all keys that it asks for are unreadable.
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override {
    bool failed = is_unreadable(prefix);
    if (!failed)
      static_cast<void>(MemoryStore::scan(prefix, from, [&](std::string_view key, std::string_view value) {
        ++visits;
        failed = is_unreadable(key);
        return !failed && visit(key, value);
      }));
    if (failed) return does_not_answer();
    return {};
  }
  void prefetch(const KeyList& keys) const override { prefetched.push_back(keys()); }

  /// Puts these bytes under the key without a log event; no value: removes the key. Returns the earlier
  /// bytes.
  std::optional<std::string> replace(const std::string& key, std::optional<std::string> bytes) {
    std::optional<std::string> old(MemoryStore::get(key).value());
    const Put put{key, std::move(bytes)};
    static_cast<void>(MemoryStore::commit(last_seq(), last_term(), {}, std::span(&put, 1)));
    return old;
  }

 private:
  bool is_unreadable(std::string_view key) const { return unreadable && key.starts_with(*unreadable); }
  static tl::unexpected<Error> does_not_answer() { return fail(Errc::storage, "the disk does not answer"); }
};

}  // namespace bidboard
