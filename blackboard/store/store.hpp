// Where a board is kept: an ordered map from keys to bytes plus an append-only event log, committed together.
// No notion of LMDB leaks through here, so that a server-based store can stand behind it later. Two
// implementations: memory_store.hpp and lmdb_store.hpp, held to the same contract tests
// (tests/blackboard/store_contract_test.cpp).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

/// A change to one key; no value: the key is deleted (deleting an absent key is no error).
struct Put {
  std::string key;  ///< 1 to 500 bytes
  std::optional<std::string> value;
};

/// A read-only view of one moment. For one thread. Views given out stay valid only until the next call or the
/// end of the snapshot: copy what you keep.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  virtual std::optional<std::string_view> get(std::string_view key) const = 0;
  /// Visits the keys that begin with `prefix` and are ≥ `from` (which may be empty), in byte order, until the
  /// visitor answers false.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  virtual void scan(std::string_view prefix, std::string_view from, const Visitor& visit) const = 0;
  /// Number of the last event in the log.
  virtual Seq last_seq() const = 0;
};

/// From this fullness on, in millionths, posts are refused, so that what runs can still finish.
constexpr std::int64_t nearly_full = 900'000;

/// The writer's side. For one thread. get and scan show the last commit.
class Store : public Snapshot {
 public:
  /// Appends `events` (encoded) behind `expected_seq` and applies `puts`, all or nothing, durable on return
  /// (unless the store was opened with durability none). Errors: conflict when `expected_seq` is not the last
  /// one or `term` is below the last committed one; storage when it could not be made durable: nothing
  /// happened, and later commits may succeed.
  virtual Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                              std::span<const Put> puts) = 0;
  /// The highest term ever committed.
  virtual Term last_term() const = 0;
  /// How full the store is, in millionths. Below `nearly_full` it may tell too much: room within the file
  /// that has become free again.
  virtual std::int64_t fullness() const = 0;
};

}  // namespace bidboard
