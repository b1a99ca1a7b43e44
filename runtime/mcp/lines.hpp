// Bytes of a stream into lines of bounded length. A longer line is told as such once, and the rest of it is
// skipped without being kept. Pure.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

namespace bidboard::mcp {

/// A request holds one task, result or comment, which the board bounds to less than this.
constexpr std::size_t line_bytes_max = 8 * 1024 * 1024;

struct Line {
  std::string text;       ///< without its line break; empty if it is too long
  bool too_long = false;  ///< it has more than the permitted bytes
};

class Lines {
 public:
  explicit Lines(std::size_t bytes_max = line_bytes_max) : bytes_max_(bytes_max) {}

  void feed(std::string_view bytes);
  /// The stream has ended: what came after the last line break is a line.
  void end();
  /// Lines with nothing but spaces are left out.
  std::optional<Line> next();
  /// What is kept of a line that has not ended.
  std::size_t pending_bytes() const { return open_.size(); }

 private:
  void close_line();

  std::size_t bytes_max_;
  std::deque<Line> ready_;
  std::string open_;
  bool skips_ = false;  ///< the open line was too long
};

}  // namespace bidboard::mcp
