// Text out of values: fmt::format, taught our own types. The one place that includes {fmt}.
//
//   fmt::format("{} is {}, held by {}", task.id, task.state, holder.profile.name)
//
// Ids print as people write them (t12), counters and micro-units as numbers, spans of time as "1m30s", and
// any enumeration that has a name() as that name.
#pragma once

#include <fmt/core.h>

#include <concepts>
#include <string_view>
#include <type_traits>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// A formatter of our own types: no format specification but {}.
struct PlainFormatter {
  constexpr auto parse(fmt::format_parse_context& context) { return context.begin(); }
};

}  // namespace bidboard

template <char Letter>
struct fmt::formatter<bidboard::Id<Letter>> : bidboard::PlainFormatter {
  auto format(bidboard::Id<Letter> id, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}{}", Letter, id.value);
  }
};
template <class Tag>
struct fmt::formatter<bidboard::Counter<Tag>> : bidboard::PlainFormatter {
  auto format(bidboard::Counter<Tag> counter, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}", counter.value);
  }
};
template <>
struct fmt::formatter<bidboard::Duration> : bidboard::PlainFormatter {
  auto format(bidboard::Duration duration, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}", bidboard::format_duration(duration));
  }
};
template <class Enum>
requires std::is_enum_v<Enum> && requires(Enum value) {
  { name(value) } -> std::convertible_to<std::string_view>;
}
struct fmt::formatter<Enum> : bidboard::PlainFormatter {
  auto format(Enum value, fmt::format_context& context) const {
    return fmt::format_to(context.out(), "{}", name(value));
  }
};

namespace bidboard {

/// "1 task", "2 tasks", "0 tasks". `many`: where an s is not enough ("entry", "entries").
inline std::string counted(std::uint64_t number, std::string_view thing, std::string_view many = {}) {
  if (number == 1) return fmt::format("1 {}", thing);
  return many.empty() ? fmt::format("{} {}s", number, thing) : fmt::format("{} {}", number, many);
}

}  // namespace bidboard
