// Where a board is kept: an ordered map from keys to bytes plus an append-only event log, committed together.
// Nothing here assumes a local store: reads can fail and wait. Implementations: memory_store.hpp and
// lmdb_store.hpp, held to the same contract tests (tests/blackboard/store_contract_test.cpp).
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

/// A read-only view of one moment. For one thread.
///
/// Views given out stay valid for as long as the snapshot lives; those of a Store until its next commit,
/// whether that succeeds or not. Another get or scan does not end them, also not within a visitor.
class Snapshot {
 public:
  virtual ~Snapshot() = default;
  /// Nothing: there is no such key. A value that cannot be read is an error, never absent. REQUIRES: a key of
  /// 1 to 500 bytes. Errors: storage (the read failed; a later one may succeed), corrupt.
  [[nodiscard]] virtual Result<std::optional<std::string_view>> get(std::string_view key) const = 0;
  /// Visits the keys that begin with `prefix` and are ≥ `from` (which may be empty), in byte order, until the
  /// visitor answers false. Errors: as get; what was visited until then is not all there is.
  using Visitor = std::function<bool(std::string_view key, std::string_view value)>;
  [[nodiscard]] virtual Result<void> scan(std::string_view prefix, std::string_view from,
                                          const Visitor& visit) const = 0;
  /// These keys will probably be asked for soon: a store to which each read is a round trip can fetch them in
  /// one. A hint: what fails here fails again, and is reported, when it is read. Stores that read at once
  /// ignore it, and never call `keys`.
  using KeyList = std::function<std::vector<std::string>()>;
  virtual void prefetch(const KeyList& /*keys*/) const {}
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
  [[nodiscard]] virtual Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                                            std::span<const Put> puts) = 0;
  /// The highest term ever committed.
  virtual Term last_term() const = 0;
  /// How full the store is, in millionths. Below `nearly_full` it may report too much: room within the file
  /// that has become free again.
  virtual std::int64_t fullness() const = 0;
  /// The last commit, for as long as wanted, for one thread that may be another one. What it shows cannot be
  /// overwritten meanwhile. REQUIRES: it ends before the store does. Errors: storage.
  [[nodiscard]] virtual Result<std::unique_ptr<Snapshot>> snapshot() const = 0;
  /// A commit failed in a way that can be mended only after the snapshots have ended. They go on to show what
  /// they showed; until they end, everything else is answered with `storage`.
  virtual bool awaits_snapshots() const { return false; }
  /// Clears what dead readers left behind. Call when an agent died and every few seconds.
  virtual void upkeep() {}
};

enum class Durability {
  commit,  ///< every commit is on the disk when it returns
  none,    ///< a crash of the machine (not of the process) may lose the last commits
};

struct StoreOptions {
  Durability durability = Durability::commit;
  /// The most the board can grow to. LMDB: the size of its map; sparse, costs nothing until used.
  std::size_t bytes_max = std::size_t{64} << 30;
  bool create = false;  ///< make the store when it does not exist
};

/// Opens the store of the board in a directory, to write to it: what drivers (runtime/drivers/) are given, so
/// that they run over any store. The usual one is open_lmdb (lmdb_store.hpp). Errors: not_found (no board
/// there and not `create`), conflict (already open in this process), storage, corrupt.
using StoreOpener =
    std::function<Result<std::unique_ptr<Store>>(const std::string& directory, const StoreOptions& options)>;

}  // namespace bidboard
