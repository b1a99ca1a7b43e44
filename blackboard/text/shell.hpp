// Words of a command line. Pure.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace bidboard {

/// As one word of a POSIX shell, whatever is in it.
inline std::string shell_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// Whether a shell takes it as it is.
inline bool is_plain_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view("_-./+@:,").find(static_cast<char>(c)) != std::string_view::npos;
  });
}

/// Quoted only where it must be: for people, to type.
inline std::string shell_word(std::string_view text) {
  return is_plain_word(text) ? std::string(text) : shell_quoted(text);
}

}  // namespace bidboard
