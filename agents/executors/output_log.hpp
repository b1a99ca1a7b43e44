// The file with an attempt's output, bounded: bytes beyond the limit are counted, and the count is noted at
// the end. For one thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "agents/guard/descriptor.hpp"
#include "agents/guard/folder.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

class OutputLog {
 public:
  /// Appends to the file, to which other processes may append as well. Errors: failed (it cannot be opened).
  static Result<OutputLog> open(const Folder& folder, const std::string& name, std::uint64_t limit_bytes);

  void append(std::string_view bytes);
  /// A line of our own, written even beyond the limit: "[bidboard] text".
  void note(std::string_view text);
  /// Notes how much was dropped, if anything was.
  void finish();
  int fd() const { return file_.get(); }

 private:
  void write_through(std::string_view bytes);

  Descriptor file_;
  std::uint64_t limit_ = 0;
  std::uint64_t written_ = 0;
  std::uint64_t dropped_ = 0;
  bool at_line_start_ = true;
};

}  // namespace bidboard
