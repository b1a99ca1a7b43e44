#include "blackboard/text/readable.hpp"

#include <algorithm>

#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

void append_hex(std::string& out, std::uint32_t number, int digits) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += "0123456789abcdef"[number >> shift & 15];
}

void append_escape(std::string& out, std::uint32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c < 0x80) {
    out += "\\x";
    append_hex(out, c, 2);
  } else if (c < 0x10000) {
    out += "\\u";
    append_hex(out, c, 4);
  } else {
    out += "\\U";
    append_hex(out, c, 8);
  }
}

std::string escaped(std::string_view text, bool lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::uint32_t c = length > 0 ? code_point(text, length) : static_cast<unsigned char>(text.front());
    const bool ends_line = c == '\n' || text.starts_with("\r\n");
    if (length == 0) {
      out += "\\x";
      append_hex(out, c, 2);
    } else if (lines && (ends_line || c == '\t')) {
      if (c != '\r') out += static_cast<char>(c);
    } else if (acts_on_text(c)) {
      append_escape(out, c);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out;
}

}  // namespace

std::string readable(std::string_view text) { return escaped(text, false); }
std::string readable_lines(std::string_view text) { return escaped(text, true); }

}  // namespace bidboard
