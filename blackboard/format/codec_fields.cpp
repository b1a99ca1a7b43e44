#include "blackboard/format/codec_fields.hpp"

namespace bidboard {
namespace {

/// What a value's first bytes say: length of the head, of the bytes behind it, and how many values it
/// contains.
struct Head {
  std::size_t head = 0;  ///< 0: malformed
  std::uint64_t body = 0;
  std::uint64_t children = 0;
  std::uint64_t number = 0;  ///< of an integer, sign-extended
  enum class Kind : std::uint8_t { other, unsigned_integer, signed_integer, text, array } kind = Kind::other;
};

std::uint64_t big_endian(std::string_view bytes, std::size_t offset, std::size_t count) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[offset + i]);
  return value;
}

/// https://github.com/msgpack/msgpack/blob/master/spec.md
Head read_head(std::string_view bytes) {
  using Kind = Head::Kind;
  if (bytes.empty()) return {};
  const auto first = static_cast<unsigned char>(bytes[0]);
  if (first < 0x80) return {1, 0, 0, first, Kind::unsigned_integer};
  if (first < 0x90) return {1, 0, 2u * (first & 15u), 0, Kind::other};
  if (first < 0xa0) return {1, 0, first & 15u, 0, Kind::array};
  if (first < 0xc0) return {1, first & 31u, 0, 0, Kind::text};
  if (first >= 0xe0)
    return {1, 0, 0, static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int8_t>(first))),
            Kind::signed_integer};
  if (first == 0xc0 || first == 0xc2 || first == 0xc3)
    return {1, 0, 0, first == 0xc3, first == 0xc0 ? Kind::other : Kind::unsigned_integer};
  // These are followed by a big-endian number of `width` bytes.
  std::size_t width = 0;
  if (first >= 0xcc && first <= 0xd3)
    width = std::size_t{1} << ((first - 0xcc) & 3);
  else if (first >= 0xd9 && first <= 0xdb)
    width = std::size_t{1} << (first - 0xd9);
  else if (first >= 0xdc && first <= 0xdf)
    width = first % 2 == 0 ? 2 : 4;
  else if (first >= 0xc4 && first <= 0xc6)
    width = std::size_t{1} << (first - 0xc4);
  else if (first == 0xca || first == 0xcb)
    return {1, first == 0xca ? 4u : 8u, 0, 0, Kind::other};
  else
    return {};
  if (bytes.size() < 1 + width) return {};
  const std::uint64_t number = big_endian(bytes, 1, width);
  if (first <= 0xc6) return {1 + width, number, 0, 0, Kind::other};
  if (first <= 0xcf) return {1 + width, 0, 0, number, Kind::unsigned_integer};
  if (first <= 0xd3) {
    const int unused = 64 - 8 * static_cast<int>(width);
    return {1 + width, 0, 0,
            static_cast<std::uint64_t>(static_cast<std::int64_t>(number << unused) >> unused),
            Kind::signed_integer};
  }
  if (first <= 0xdb) return {1 + width, number, 0, 0, Kind::text};
  if (first <= 0xdd) return {1 + width, 0, number, 0, Kind::array};
  return {1 + width, 0, 2 * number, 0, Kind::other};
}

}  // namespace

std::size_t encoded_length(std::string_view bytes) {
  std::size_t length = 0;
  // Every contained value has at least one byte, so a huge claim ends at the end of the bytes.
  for (std::uint64_t open = 1; open > 0; --open) {
    const Head head = read_head(bytes.substr(length));
    const std::size_t left = bytes.size() - length;
    if (head.head == 0 || head.body > left - head.head || head.children > left) return 0;
    length += head.head + static_cast<std::size_t>(head.body);
    open += head.children;
  }
  return length;
}

void EncodedRecord::reset(std::string_view payload) {
  const Head head = read_head(payload);
  const bool record = head.kind == Head::Kind::array && head.head > 0;
  count_ = record ? static_cast<std::size_t>(head.children) : 0;
  rest_ = record ? payload.substr(head.head) : std::string_view();
  found_.clear();
}

std::string_view EncodedRecord::field(std::size_t position) {
  while (found_.size() <= position && found_.size() < count_) {
    const std::size_t length = encoded_length(rest_);
    if (length == 0) {
      count_ = found_.size();
      break;
    }
    found_.push_back(rest_.substr(0, length));
    rest_.remove_prefix(length);
  }
  return position < found_.size() ? found_[position] : std::string_view();
}

std::optional<std::int64_t> encoded_integer(std::string_view field) {
  const Head head = read_head(field);
  if (head.kind == Head::Kind::signed_integer) return static_cast<std::int64_t>(head.number);
  if (head.kind != Head::Kind::unsigned_integer || head.number > static_cast<std::uint64_t>(INT64_MAX))
    return {};
  return static_cast<std::int64_t>(head.number);
}

std::optional<std::string_view> encoded_text(std::string_view field) {
  const Head head = read_head(field);
  if (head.kind != Head::Kind::text || head.body > field.size() - head.head) return {};
  return field.substr(head.head, static_cast<std::size_t>(head.body));
}

}  // namespace bidboard
