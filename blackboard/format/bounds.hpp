// How long the lists and texts of a message may be, field by field: one table, printed as docs/limits.md.
// What exceeds it is refused before anything is decided about it. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "blackboard/messages.hpp"

namespace bidboard {

/// Of a message as a whole, encoded: a larger frame closes the connection of its sender.
constexpr std::size_t frame_bytes_max = 8 << 20;

struct Bound {
  std::string_view field;   ///< its name, or "list.field" for a field of that list's items
  std::string_view what;    ///< for people
  std::size_t bytes = 0;    ///< of a text; 0: the default
  std::size_t entries = 0;  ///< of a list; 0: the default
};
/// Those that differ from the defaults.
std::span<const Bound> bounds();
constexpr std::size_t default_bytes_max = 64 * 1024;
constexpr std::size_t default_entries_max = 100'000;

/// What exceeds its bound, for people: "tasks[2].skills has 60000 entries; at most 1000 are allowed". Empty:
/// nothing does.
std::string beyond_bounds(const Message& message);

}  // namespace bidboard
