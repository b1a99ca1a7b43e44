// Text for people: what could hide, forge or command something on a screen is shown escaped. Programs get the
// exact text instead, as JSON or CSV.
//
// Escaped are control characters (C0, DEL, C1), characters that turn the direction of text, invisible ones
// (zero-width space, tags, byte order mark) and bytes that are not UTF-8: \x1b, \u202e, \xff. Joiners stay,
// because scripts and emoji need them. A backslash in the text is not doubled: this is for reading, not for
// reading back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bidboard {

/// Whether a character does more than show itself.
constexpr bool acts_on_text(std::uint32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool turns = c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
                     (c >= 0x2066 && c <= 0x2069);
  const bool breaks = c == 0x2028 || c == 0x2029;
  const bool invisible = c == 0x00ad || c == 0x200b || (c >= 0x2060 && c <= 0x2065) ||
                         (c >= 0x206a && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
                         (c >= 0xe0000 && c <= 0xe007f);
  return control || turns || breaks || invisible;
}

/// On one line: a line break is shown as \n, a tab as \t.
std::string readable(std::string_view text);
/// The same, but line breaks (\n, \r\n) and tabs stay.
std::string readable_lines(std::string_view text);

}  // namespace bidboard
