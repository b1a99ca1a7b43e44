#include "blackboard/query/key_scan.hpp"

#include <algorithm>

namespace bidboard::query {
namespace {

constexpr std::size_t first_chunk_entries = 8;
constexpr std::size_t chunk_entries = 512;
constexpr std::size_t chunk_bytes = 256 * 1024;
/// Every key read here holds an id or a position; a shorter one is damage, and doctor's to report.
constexpr std::size_t id_bytes = 8;

}  // namespace

KeyScan::KeyScan(const Snapshot& snapshot, std::string prefix, std::string from, bool values)
    : snapshot_(&snapshot),
      prefix_(std::move(prefix)),
      from_(std::move(from)),
      values_(values),
      wanted_(first_chunk_entries) {}

bool KeyScan::next() {
  if (next_ == entries_.size()) {
    if (!more_) return false;
    read_chunk();
    if (entries_.empty()) return false;
  }
  at_ = &entries_[next_++];
  return true;
}

void KeyScan::read_chunk() {
  entries_.clear();
  bytes_.clear();
  next_ = 0;
  more_ = false;
  snapshot_->scan(prefix_, from_, [&](std::string_view key, std::string_view value) {
    if (entries_.size() == wanted_ || bytes_.size() >= chunk_bytes) {
      from_.assign(key);
      more_ = true;
      return false;
    }
    if (key.size() < 1 + id_bytes) return true;
    entries_.push_back({bytes_.size(), key.size(), values_ ? value.size() : 0});
    bytes_ += key;
    if (values_) bytes_ += value;
    return true;
  });
  wanted_ = std::min(wanted_ * 4, chunk_entries);
}

}  // namespace bidboard::query
