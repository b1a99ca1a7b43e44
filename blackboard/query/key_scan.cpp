#include "blackboard/query/key_scan.hpp"

#include <algorithm>

namespace bidboard::query {
namespace {

constexpr std::size_t first_chunk_entries = 8;
constexpr std::size_t chunk_entries = 512;

}  // namespace

KeyScan::KeyScan(const Snapshot& snapshot, std::string prefix, std::string from)
    : snapshot_(&snapshot),
      prefix_(std::move(prefix)),
      from_(std::move(from)),
      wanted_(first_chunk_entries) {}

Result<bool> KeyScan::next() {
  if (next_ == entries_.size()) {
    if (!more_) return false;
    if (const Result<void> read = read_chunk(); !read) return fail(read.error());
    if (entries_.empty()) return false;
  }
  ++next_;
  return true;
}

Result<void> KeyScan::read_chunk() {
  entries_.clear();
  next_ = 0;
  more_ = false;
  const Result<void> read =
      snapshot_->scan(prefix_, from_, [&](std::string_view key, std::string_view value) {
        if (entries_.size() == wanted_) {
          from_.assign(key);
          more_ = true;
          return false;
        }
        if (key.size() >= key_bytes_min_) entries_.push_back({key, value});
        return true;
      });
  wanted_ = std::min(wanted_ * 4, chunk_entries);
  return read;
}

}  // namespace bidboard::query
