// Comma-separated values (RFC 4180). Pure.
#pragma once

#include <string>
#include <string_view>

namespace bidboard {

/// The text as a field: in quotes where a comma, a quote or the end of a line stands in it.
inline std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == text.npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace bidboard
