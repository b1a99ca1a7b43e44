#include "blackboard/format/named_keys.hpp"

#include "blackboard/format/keys.hpp"

namespace bidboard {
namespace {

/// More keys than this are not worth waiting for: the first ones of a large request can begin.
constexpr std::size_t keys_max = 10'000;

template <class T>
void add(const T& value, std::vector<std::string>& keys);

/// The id's record is of the kind that has such ids; ids of other things (auctions, counters) have none.
template <class IdType>
void add_id(const IdType& id, std::vector<std::string>& keys) {
  for_each_kind([&](auto kind) {
    using Kind = decltype(kind);
    if constexpr (std::is_same_v<typename Kind::Id, IdType>)
      if (id.value != 0 && keys.size() < keys_max) keys.push_back(keys::of_kind<Kind>(id));
  });
}

template <class T>
void add(const T& value, std::vector<std::string>& keys) {
  if constexpr (std::is_same_v<T, std::string> || std::is_arithmetic_v<T> || std::is_enum_v<T>) {
    return;
  } else if constexpr (requires { value.index(); }) {
    std::visit([&](const auto& alternative) { add(alternative, keys); }, value);
  } else if constexpr (requires { value.has_value(); }) {
    if (value) add(*value, keys);
  } else if constexpr (requires { value.begin(); }) {
    for (const typename T::value_type& item : value) add(item, keys);
  } else if constexpr (requires { value.value; }) {
    add_id(value, keys);
  } else if constexpr (!requires { value.us; }) {
    for_each_field(value, [&](const char*, const auto& field) { add(field, keys); });
  }
}

}  // namespace

void add_keys_named_in(const Message& message, std::vector<std::string>& keys) { add(message, keys); }

}  // namespace bidboard
