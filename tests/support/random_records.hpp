// Any record, event or message, filled at random through its list of fields.
#pragma once

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "blackboard/messages.hpp"
#include "blackboard/random.hpp"

namespace bidboard {

template <class T>
void randomise(Random& random, T& value);

namespace random_records {

template <class E>
constexpr std::uint8_t count_of() {
  if constexpr (std::is_same_v<E, TaskState>)
    return 12;
  else if constexpr (std::is_same_v<E, HoldKind>)
    return 2;
  else if constexpr (std::is_same_v<E, AgentState>)
    return 3;
  else if constexpr (std::is_same_v<E, BidStyle>)
    return 3;
  else if constexpr (std::is_same_v<E, RefusalReason>)
    return 12;
  else if constexpr (std::is_same_v<E, Role>)
    return 5;
  else if constexpr (std::is_same_v<E, Action>)
    return 7;
  else if constexpr (std::is_same_v<E, Direction>)
    return 4;
  else if constexpr (std::is_same_v<E, ReportItem::What>)
    return 9;
  else if constexpr (std::is_same_v<E, Outage>)
    return 10;
  else if constexpr (std::is_same_v<E, BreakerState>)
    return 3;
  else
    return 13;  // Errc
}
template <class E>
constexpr std::uint8_t first_of() {
  return std::is_same_v<E, TaskState> || std::is_same_v<E, RefusalReason> || std::is_same_v<E, HoldKind> ? 1
                                                                                                         : 0;
}

template <class... Ts>
void alternative(Random& random, std::variant<Ts...>& value) {
  using Filler = void (*)(Random&, std::variant<Ts...>&);
  static constexpr Filler fill[] = {
      [](Random& r, std::variant<Ts...>& out) { randomise(r, out.template emplace<Ts>()); }...};
  fill[random.below(sizeof...(Ts))](random, value);
}

}  // namespace random_records

template <class T>
void randomise(Random& random, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    value.clear();
    for (std::uint64_t n = random.below(random.chance(50'000) ? 300 : 12); n > 0; --n)
      value += static_cast<char>(random.below(256));
  } else if constexpr (std::is_same_v<T, bool>) {
    value = random.chance(500'000);
  } else if constexpr (std::is_enum_v<T>) {
    value = static_cast<T>(random_records::first_of<T>() + random.below(random_records::count_of<T>()));
  } else if constexpr (std::is_integral_v<T>) {
    value = static_cast<T>(random.next() >> random.below(64));
  } else if constexpr (requires { value.us; }) {
    randomise(random, value.us);
  } else if constexpr (HasFields<T>) {
    for_each_field(value, [&](const char*, auto& field) { randomise(random, field); });
    if constexpr (requires { value.upcast(); }) value.upcast();  // as this version would have written it
  } else if constexpr (requires { value.has_value(); }) {
    value.reset();
    if (random.chance(500'000)) randomise(random, value.emplace());
  } else if constexpr (requires { value.value; }) {
    randomise(random, value.value);
  } else if constexpr (requires { value.index(); }) {
    random_records::alternative(random, value);
  } else {
    value.resize(random.below(4));
    for (std::size_t i = 0; i < value.size(); ++i) {
      if constexpr (std::is_same_v<T, std::vector<bool>>)
        value[i] = random.chance(500'000);
      else
        randomise(random, value[i]);
    }
  }
}

}  // namespace bidboard
