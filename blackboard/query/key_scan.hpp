// Turns a Snapshot's scan, which pushes, into a cursor, which is pulled: asks for a chunk of entries at a
// time. What it shows are views of the snapshot, valid for as long as that is.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "blackboard/store/store.hpp"

namespace bidboard::query {

class KeyScan {
 public:
  /// All entries whose keys have the prefix and are ≥ `from`. REQUIRES: the snapshot outlives it and, if it
  /// is a store, gets no commit meanwhile.
  KeyScan(const Snapshot& snapshot, std::string prefix, std::string from = {});
  /// Shorter keys are damage and left out; a letter and a number, unless the keys end in texts.
  KeyScan& at_least(std::size_t key_bytes) {
    key_bytes_min_ = key_bytes;
    return *this;
  }

  /// Moves to the first or next entry; false when there is none. Errors: as Snapshot::scan.
  Result<bool> next();
  std::string_view key() const { return entries_[next_ - 1].key; }
  std::string_view value() const { return entries_[next_ - 1].value; }

 private:
  struct Entry {
    std::string_view key;
    std::string_view value;
  };
  Result<void> read_chunk();

  const Snapshot* snapshot_;
  std::string prefix_;
  std::string from_;
  std::size_t key_bytes_min_ = 9;
  bool more_ = true;
  std::size_t wanted_;  ///< entries of the next chunk: small at first, for a LIMIT 1
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
};

}  // namespace bidboard::query
