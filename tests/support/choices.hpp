// The source of a random test's decisions: a seed, or the bytes of a fuzzer's input. For one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>

#include "blackboard/random.hpp"

namespace bidboard::testing {

class Choices {
 public:
  explicit Choices(std::uint64_t seed) : random_(seed) {}
  /// The bytes must outlive it. When they are used up, every further choice is the last one possible, and
  /// every chance() is false.
  explicit Choices(std::span<const std::uint8_t> bytes) : random_(0), bytes_(bytes), fed_(true) {}

  /// All bytes are used up; always false with a seed.
  bool used_up() const { return fed_ && bytes_.empty(); }
  bool fed() const { return fed_; }

  std::uint64_t next() { return fed_ ? take(8) : random_.next(); }
  std::uint64_t below(std::uint64_t bound) {
    if (!fed_) return random_.below(bound);
    return bytes_.empty() ? bound - 1 : take(bound <= 256 ? 1 : bound <= 65'536 ? 2 : 8) % bound;
  }
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(high - low) + 1));
  }
  bool chance(std::int64_t millionths) {
    if (!fed_) return random_.chance(millionths);
    return !bytes_.empty() && static_cast<std::int64_t>(take(1)) * 1'000'000 / 256 < millionths;
  }
  /// Up to `size` raw bytes; none with a seed.
  std::string some_bytes(std::size_t count) {
    const std::size_t length = std::min(count, bytes_.size());
    const std::string out(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(length));
    bytes_ = bytes_.subspan(length);
    return out;
  }

 private:
  std::uint64_t take(std::size_t count) {
    std::uint64_t value = 0;
    for (; count > 0 && !bytes_.empty(); --count, bytes_ = bytes_.subspan(1)) value = value << 8 | bytes_[0];
    return value;
  }

  Random random_;
  std::span<const std::uint8_t> bytes_;
  bool fed_ = false;
};

}  // namespace bidboard::testing
