// UTF-8 at the edges: what comes in is checked, what goes out is repaired.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bidboard {

/// Bytes of the character that `text` begins with, 1 to 4; 0 when it is empty or does not begin with
/// well-formed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF).
constexpr std::size_t utf8_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto within = [&](std::size_t i, unsigned low, unsigned high) {
    return byte(i) >= low && byte(i) <= high;
  };
  const auto tail = [&](std::size_t i) { return within(i, 0x80, 0xbf); };
  if (text.empty()) return 0;
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = within(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf);
    return second && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = within(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

/// The character in the first `length` bytes. REQUIRES: length == utf8_length(text), above 0.
constexpr std::uint32_t code_point(std::string_view text, std::size_t length) {
  std::uint32_t c = static_cast<unsigned char>(text[0]);
  if (length > 1) c &= 0x7fU >> length;
  for (std::size_t i = 1; i < length; ++i) c = c << 6 | (static_cast<unsigned char>(text[i]) & 0x3fU);
  return c;
}

/// REQUIRES: c is at most 0x10ffff.
inline std::string utf8_of(std::uint32_t c) {
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3f)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xc0 | c >> 6), tail(0)};
  if (c < 0x10000) return {static_cast<char>(0xe0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | c >> 18), tail(12), tail(6), tail(0)};
}

/// The text's beginning, at most so many bytes, that does not end inside a character.
constexpr std::string_view utf8_prefix(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

/// Whether the text is UTF-8 that reads as it is written: no control characters, nothing invisible, nothing
/// that turns the direction of what follows (U+200B to U+200F, U+202A to U+202E, U+2060 to U+206F, U+FEFF).
constexpr bool is_plain_text(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    const std::uint32_t c = code_point(text, length);
    const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    const bool deceives = (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
                          (c >= 0x2060 && c <= 0x206f) || c == 0xfeff;
    if (control || deceives) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace bidboard
