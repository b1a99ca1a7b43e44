// The durable Store: one LMDB environment in the board's directory, one table, keys prefixed by kind. A
// commit is one transaction and returns after the data has reached the disk. LMDB must not be opened twice in
// a process nor used across fork(): opening a directory a second time is refused. For one thread.
#pragma once

#include <memory>
#include <string>

#include "blackboard/store/store.hpp"

namespace bidboard {

class LmdbStore final : public Store {
 public:
  /// Errors: not_found (no board there and not `create`), conflict (already open in this process), storage,
  /// corrupt.
  static Result<std::unique_ptr<LmdbStore>> open(const std::string& directory,
                                                 const StoreOptions& options = {});
  ~LmdbStore() override;

  Result<void> commit(Seq expected_seq, Term term, std::span<const std::string> events,
                      std::span<const Put> puts) override;
  Result<std::optional<std::string_view>> get(std::string_view key) const override;
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override;
  Seq last_seq() const override;
  Term last_term() const override;
  std::int64_t fullness() const override;

  Result<std::unique_ptr<Snapshot>> snapshot() const override;
  bool awaits_snapshots() const override;
  void upkeep() override { clear_stale_readers(); }

  /// Frees the slots of readers that died. Returns how many.
  int clear_stale_readers();

 private:
  struct Impl;
  explicit LmdbStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// LmdbStore::open as a StoreOpener.
Result<std::unique_ptr<Store>> open_lmdb(const std::string& directory, const StoreOptions& options);

/// The board as it is now, for tools: sees no later commit and keeps none waiting. Hold it for seconds, not
/// minutes: pages it sees cannot be reused meanwhile. Without the right to write in the folder, nothing keeps
/// them, and a read beside a writer may fail as corrupt. Errors as in LmdbStore::open; refused (not readable
/// by this user).
Result<std::unique_ptr<Snapshot>> open_snapshot(const std::string& directory);

/// How many entries the store says it holds, to be compared with what a scan finds. Errors as in
/// LmdbStore::open.
Result<std::uint64_t> count_entries(const std::string& directory);

/// Copies the store as it is at this moment into another folder, without its unused pages; the writer may go
/// on meanwhile. REQUIRES: the target folder exists and holds no store. Errors: as LmdbStore::open.
Result<void> copy_store(const std::string& from_directory, const std::string& to_directory);

}  // namespace bidboard
