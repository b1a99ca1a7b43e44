// Turns a Snapshot's scan, which pushes, into a cursor, which is pulled: reads keys a chunk at a time and
// keeps copies, since a snapshot's views end with its next call.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "blackboard/store/store.hpp"

namespace bidboard::query {

class KeyScan {
 public:
  /// All keys with the prefix that are ≥ `from`. Without `values`, value() is empty and nothing is copied for
  /// it.
  KeyScan(const Snapshot& snapshot, std::string prefix, std::string from = {}, bool values = true);

  bool next();
  std::string_view key() const { return std::string_view(bytes_).substr(at_->key, at_->key_size); }
  std::string_view value() const {
    return std::string_view(bytes_).substr(at_->key + at_->key_size, at_->value_size);
  }

 private:
  struct Entry {
    std::size_t key;
    std::size_t key_size;
    std::size_t value_size;
  };
  void read_chunk();

  const Snapshot* snapshot_;
  std::string prefix_;
  std::string from_;
  bool values_;
  bool more_ = true;
  std::size_t wanted_;  ///< entries of the next chunk: small at first, for a LIMIT 1
  std::string bytes_;
  std::vector<Entry> entries_;
  std::size_t next_ = 0;
  const Entry* at_ = nullptr;
};

}  // namespace bidboard::query
