// The proof that the log, folded from its beginning or its base (compaction.hpp), gives the tables; and the
// same fold, stopped earlier, as the board of a past moment. Pure, for one thread. Both hold the replayed
// board in memory.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/store/memory_store.hpp"

namespace bidboard {

/// The board as it was after event `until` (the last event at most), with the content that its events name.
/// Errors: corrupt (an event that cannot be read, is missing, or cannot follow those before it), unsupported
/// (written by a newer Bidboard), not_found (before the base of a compacted board), storage (a read failed).
Result<std::unique_ptr<MemoryStore>> replay(const Snapshot& snapshot, Seq until);

/// Compares every record and index with what a replay gives, and all content with its hash; a
/// sentence per difference or failed read, empty when the board is whole.
std::vector<std::string> verify(const Snapshot& snapshot);

/// Whether the value is valid for this key: a record or event that decodes, content that has its hash.
/// Errors: corrupt, unsupported.
Result<void> check_entry(std::string_view key, std::string_view value);

}  // namespace bidboard
