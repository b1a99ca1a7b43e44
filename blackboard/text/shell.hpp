// Words of a command line. Pure.
#pragma once

#include <string>
#include <string_view>

namespace bidboard {

/// As one word of a POSIX shell, whatever is in it.
inline std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

}  // namespace bidboard
