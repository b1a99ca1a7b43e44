// YAML and JSON text into one small tree that knows where each value stood, and back. The only place that
// knows the parsing libraries.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Line and column in the source text, from 1; 0: made by code.
struct Place {
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  bool operator==(const Place&) const = default;
};

class Value {
 public:
  struct Member;
  using Array = std::vector<Value>;
  using Object = std::vector<Member>;  ///< in source order; duplicate keys are a parse error

  // Defined below: compilers need Member to be complete there.
  Value() = default;  ///< null
  Value(std::nullptr_t);
  Value(bool b);
  Value(int n);
  Value(std::int64_t n);
  Value(std::uint64_t n);
  Value(std::uint32_t n);
  Value(double n);
  Value(std::string s);
  Value(std::string_view s);
  Value(const char* s);
  Value(Array a);
  Value(Object o);

  bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
  bool is_bool() const { return std::holds_alternative<bool>(data_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(data_); }
  /// A whole number above INT64_MAX, made by code.
  bool is_large() const { return std::holds_alternative<std::uint64_t>(data_); }
  bool is_number() const { return is_integer() || is_large() || std::holds_alternative<double>(data_); }
  bool is_string() const { return std::holds_alternative<std::string>(data_); }
  bool is_array() const { return std::holds_alternative<Array>(data_); }
  bool is_object() const { return std::holds_alternative<Object>(data_); }

  // REQUIRE the matching is_...().
  bool boolean() const { return std::get<bool>(data_); }
  std::int64_t integer() const { return std::get<std::int64_t>(data_); }
  std::uint64_t large() const { return std::get<std::uint64_t>(data_); }
  double number() const {
    if (is_large()) return static_cast<double>(large());
    return is_integer() ? static_cast<double>(integer()) : std::get<double>(data_);
  }
  const std::string& string() const { return std::get<std::string>(data_); }
  const Array& array() const { return std::get<Array>(data_); }
  const Object& object() const { return std::get<Object>(data_); }
  Array& array() { return std::get<Array>(data_); }
  Object& object() { return std::get<Object>(data_); }

  /// The member of that name, or nullptr (also when this is no object).
  const Value* find(std::string_view key) const;
  /// Adds or replaces a member. A null value becomes an object first.
  Value& set(std::string_view key, Value value);
  void push(Value value);  ///< A null value becomes an array first.

  Place place;          ///< where the value begins
  bool quoted = false;  ///< a string that was quoted in the source ("12" is text, 12 is a number)

  /// "a list", "text", ...: for error messages.
  std::string_view type_name() const;
  bool operator==(const Value& other) const;  ///< places do not count

 private:
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> data_;
};

struct Value::Member {
  std::string key;
  Value value;
  Place place;  ///< of the key
  bool operator==(const Member& other) const { return key == other.key && value == other.value; }
};

inline Value::Value(std::nullptr_t) {}
inline Value::Value(bool b) : data_(b) {}
inline Value::Value(int n) : data_(std::int64_t{n}) {}
inline Value::Value(std::int64_t n) : data_(n) {}
inline Value::Value(std::uint64_t n) : data_(static_cast<std::int64_t>(n)) {
  if (n > INT64_MAX) data_ = n;
}
inline Value::Value(std::uint32_t n) : data_(std::int64_t{n}) {}
inline Value::Value(double n) : data_(n) {}
inline Value::Value(std::string s) : data_(std::move(s)) {}
inline Value::Value(std::string_view s) : data_(std::string(s)) {}
inline Value::Value(const char* s) : data_(std::string(s)) {}
inline Value::Value(Array a) : data_(std::move(a)) {}
inline Value::Value(Object o) : data_(std::move(o)) {}
inline bool Value::operator==(const Value& other) const { return data_ == other.data_; }

/// Errors: invalid, text "line:column: what" (YAML: plain scalars become null, bool, integer, number or text
/// by the YAML 1.2 core schema without its hexadecimal and octal numbers, so that numbers are those of
/// numbers.hpp everywhere; anchors and merge keys (`<<`) are resolved; more than 64 levels, 64 MB or
/// 4,000,000 values are refused).
Result<Value> parse_yaml(std::string_view text);
Result<Value> parse_json(std::string_view text);
/// UTF-8 out; bytes that are not UTF-8 become U+FFFD. indent 0: one line.
std::string to_json(const Value& value, int indent = 0);

/// The candidate nearest to `word` by edit distance (Damerau-Levenshtein, at most a third of its length, ties
/// by alphabet), or empty: for "unknown key 'neds', did you mean 'needs'?".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace bidboard
