// Text out of values: fmt::format, taught our own types. The one place that includes {fmt}.
//
//   fmt::format("{} is {}, held by {}", task.id, task.state, holder.profile.name)
//
// Ids print as people write them (t12), counters and micro-units as numbers, spans of time as "1m30s", and
// any enumeration that has a name() as that name.
#pragma once

#include <fmt/format.h>

#include <concepts>
#include <string_view>
#include <type_traits>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

template <char Letter>
struct fmt::formatter<bidboard::Id<Letter>> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(bidboard::Id<Letter> id, Context& context) const {
    return fmt::formatter<std::string_view>::format(to_string(id), context);
  }
};
template <class Tag>
struct fmt::formatter<bidboard::Counter<Tag>> : fmt::formatter<std::uint64_t> {
  template <class Context>
  auto format(bidboard::Counter<Tag> counter, Context& context) const {
    return fmt::formatter<std::uint64_t>::format(counter.value, context);
  }
};
template <>
struct fmt::formatter<bidboard::Duration> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(bidboard::Duration duration, Context& context) const {
    return fmt::formatter<std::string_view>::format(bidboard::format_duration(duration), context);
  }
};
template <class Enum>
requires std::is_enum_v<Enum> && requires(Enum value) {
  { name(value) } -> std::convertible_to<std::string_view>;
}
struct fmt::formatter<Enum> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(Enum value, Context& context) const {
    return fmt::formatter<std::string_view>::format(name(value), context);
  }
};

namespace bidboard {

/// "1 task", "2 tasks", "0 tasks". `many`: where an s is not enough ("entry", "entries").
inline std::string counted(std::uint64_t number, std::string_view thing, std::string_view many = {}) {
  if (number == 1) return fmt::format("1 {}", thing);
  return many.empty() ? fmt::format("{} {}s", number, thing) : fmt::format("{} {}", number, many);
}

}  // namespace bidboard
