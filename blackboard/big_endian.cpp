#include "blackboard/big_endian.hpp"

#include <array>

#include "blackboard/checks/check.hpp"

namespace bidboard {

void append_big_endian(std::string& out, std::uint64_t value) {
  std::array<char, 8> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  out.append(bytes.data(), bytes.size());
}

std::uint64_t read_big_endian(std::string_view bytes, std::size_t offset) {
  BB_CHECK(offset + 8 <= bytes.size(), "a number in a key has eight bytes");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

}  // namespace bidboard
