// Single fields of an encoded record, found without decoding the rest: for queries that read two columns of a
// million rows. Knows the shape of codec.hpp (msgpack arrays in field order), and trusts nothing: every
// length is checked against the bytes at hand. What is malformed or absent (an older version's record) reads
// as an empty field.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "blackboard/fields.hpp"

namespace bidboard {

class EncodedRecord {
 public:
  /// The bytes of one encoded record; they must outlive the walk.
  void reset(std::string_view payload);
  /// The encoded bytes of the field at that position, or nothing. Walks no farther than it must.
  std::string_view field(std::size_t position);
  std::size_t size() const { return count_; }

 private:
  std::string_view rest_;
  std::size_t count_ = 0;
  std::vector<std::string_view> found_;
};

/// Bytes that the value at the front occupies; 0: malformed.
std::size_t encoded_length(std::string_view bytes);
std::optional<std::int64_t> encoded_integer(std::string_view field);
std::optional<std::string_view> encoded_text(std::string_view field);

/// Position of the member called `name` in T's BB_FIELDS. REQUIRES: there is one.
template <class T>
std::size_t field_position(std::string_view name) {
  const T sample{};
  std::size_t position = 0, found = SIZE_MAX;
  for_each_field(sample, [&](const char* field, const auto&) {
    if (name == field) found = position;
    ++position;
  });
  return found;
}

}  // namespace bidboard
