// Numbers as eight bytes, the highest first: byte order is number order, on every machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace bidboard {

void append_big_endian(std::string& out, std::uint64_t value);
/// REQUIRES: at least 8 bytes from `offset` on.
std::uint64_t read_big_endian(std::string_view bytes, std::size_t offset);

}  // namespace bidboard
