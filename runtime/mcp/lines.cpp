#include "runtime/mcp/lines.hpp"

#include <algorithm>
#include <utility>

namespace bidboard::mcp {

void Lines::feed(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (!skips_ && open_.size() + part.size() > bytes_max_) {
      ready_.push_back({{}, true});
      std::string().swap(open_);
      skips_ = true;
    }
    if (!skips_) open_ += part;
    if (end == bytes.npos) return;
    close_line();
    bytes.remove_prefix(end + 1);
  }
}

void Lines::end() { close_line(); }

void Lines::close_line() {
  std::string line = std::exchange(open_, {});
  if (!skips_ && line.find_first_not_of(" \t\r") != line.npos) ready_.push_back({std::move(line), false});
  skips_ = false;
}

std::optional<Line> Lines::next() {
  if (ready_.empty()) return {};
  Line line = std::move(ready_.front());
  ready_.pop_front();
  return line;
}

}  // namespace bidboard::mcp
