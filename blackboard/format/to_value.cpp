#include "blackboard/format/to_value.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "blackboard/format/record_kinds.hpp"

namespace bidboard {
namespace {

/// Fields that hold micro-units; every other integer is printed as it is.
constexpr std::array<std::string_view, 20> micro_fields{
    "budget",      "bottom_level",  "confidence",     "corrected_seconds",
    "fraction",    "level",         "price",          "price_per_second",
    "price_ratio", "price_weight",  "progress",       "score",
    "seconds",     "seconds_ratio", "seconds_weight", "set_up",
    "size",        "speed",         "spent",          "success"};
/// Never shown: what is kept of secrets.
constexpr std::array<std::string_view, 3> hidden_fields{"capability_hash", "secret_hash", "incarnation"};

template <class Range>
bool contains(const Range& range, std::string_view name) {
  return std::find(range.begin(), range.end(), name) != range.end();
}

template <class T>
Value value_of(std::string_view field, const T& value);

template <class T>
Value object_of(const T& record) {
  Value object{Value::Object{}};
  for_each_field(record, [&](const char* field, const auto& value) {
    if (!contains(hidden_fields, field)) object.set(field, value_of(field, value));
  });
  return object;
}

template <class T>
Value value_of(std::string_view field, const T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return field == "result_blob" ? Value(!value.empty()) : Value(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    return value;
  } else if constexpr (std::is_enum_v<T>) {
    return name(value);
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    const bool micro = contains(micro_fields, field) || field == "wait";
    return micro ? (value % one == 0 ? Value(value / one) : Value(from_micros(value))) : Value(value);
  } else if constexpr (std::is_integral_v<T>) {
    static_assert(std::is_unsigned_v<T>);
    return std::uint64_t{value};
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return value.us == 0 ? Value() : Value(static_cast<double>(value.us) / 1e6);
  } else if constexpr (std::is_same_v<T, Duration>) {
    return static_cast<double>(value.us) / 1e6;
  } else if constexpr (requires { value.has_value(); }) {
    return value ? value_of(field, *value) : Value();
  } else if constexpr (requires { T::letter; }) {
    return value ? Value(to_string(value)) : Value();
  } else if constexpr (HasFields<T>) {
    return object_of(value);
  } else if constexpr (requires { value.value; }) {
    return std::uint64_t{value.value};  // ids that are drawn at random use all bits
  } else if constexpr (requires { value.begin(); }) {
    Value list{Value::Array{}};
    for (const auto& item : value) list.push(value_of(field, item));
    return list;
  } else {
    static_assert(!sizeof(T), "say how this is printed");
  }
}

}  // namespace

template <HasFields Record>
Value to_value(const Record& record) {
  return object_of(record);
}

namespace detail {

template <class... Kinds>
auto to_values(RecordList<Kinds...>) {
  return std::tuple{&to_value<typename Kinds::Record>...,
                    &to_value<TaskSpec>,
                    &to_value<AgentProfile>,
                    &to_value<Auction>,
                    &to_value<EditNote>,
                    &to_value<SignedComment>};
}
// As in codec.cpp: naming a function compiles it, and a table visible from outside keeps it.
extern const decltype(to_values(RecordKinds{})) value_makers;
const decltype(to_values(RecordKinds{})) value_makers = to_values(RecordKinds{});

}  // namespace detail

Value to_value(const EventBody& event) {
  return std::visit([](const auto& body) { return object_of(body); }, event);
}

}  // namespace bidboard
