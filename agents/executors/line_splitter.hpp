// Cuts a stream of bytes into lines of bounded length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace bidboard {

class LineSplitter {
 public:
  explicit LineSplitter(std::size_t line_limit) : limit_(line_limit) {}

  struct Lines {
    std::vector<std::string> whole;  ///< without their newline
    std::size_t too_long = 0;        ///< lines that passed the limit; their bytes are dropped
  };
  Lines feed(std::string_view bytes) {
    Lines lines;
    while (!bytes.empty()) {
      const std::size_t newline = bytes.find('\n');
      const std::string_view piece = bytes.substr(0, newline);
      if (!skipping_ && partial_.size() + piece.size() > limit_) {
        skipping_ = true;
        ++lines.too_long;
        partial_.clear();
      }
      if (!skipping_) partial_.append(piece);
      if (newline == std::string_view::npos) break;
      if (!skipping_) lines.whole.push_back(std::move(partial_));
      partial_.clear();
      skipping_ = false;
      bytes.remove_prefix(newline + 1);
    }
    return lines;
  }

  /// What follows the last newline; empty: nothing does, or it is too long.
  std::string take_rest() { return skipping_ ? std::string{} : std::exchange(partial_, {}); }

 private:
  std::size_t limit_;
  std::string partial_;
  bool skipping_ = false;  ///< inside a line that is too long
};

}  // namespace bidboard
