#include "agents/json_fields.hpp"

#include <algorithm>
#include <charconv>

#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

constexpr std::size_t line_bytes_max = 300;
constexpr std::size_t price_bytes_max = 40;

/// Takes the first key off the path.
std::string_view next_key(std::string_view& path) {
  if (path.starts_with('"')) {
    const std::size_t end = std::min(path.find('"', 1), path.size());
    const std::string_view key = path.substr(1, end - 1);
    path.remove_prefix(std::min(end + 1, path.size()));
    if (path.starts_with('.')) path.remove_prefix(1);
    return key;
  }
  const std::size_t dot = path.find('.');
  const std::string_view key = path.substr(0, dot);
  path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
  return key;
}

const Value* element(const Value& list, std::string_view key) {
  std::int64_t index = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), index);
  if (error != std::errc{} || end != key.data() + key.size()) return nullptr;
  const auto size = static_cast<std::int64_t>(list.array().size());
  if (index < 0) index += size;
  if (index < 0 || index >= size) return nullptr;
  return &list.array()[static_cast<std::size_t>(index)];
}

/// Without control characters and a terminal's colours; a line break or tab becomes a space.
std::string clean(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == 0x1b && i + 1 < text.size() && text[i + 1] == '[') {
      for (i += 2; i < text.size() && (text[i] < '@' || text[i] > '~');) ++i;
    } else if (c == '\n' || c == '\t') {
      if (!out.empty() && out.back() != ' ') out += ' ';
    } else if (c >= 0x20 && c != 0x7f) {
      out += text[i];
    }
  }
  const std::size_t begin = out.find_first_not_of(' ');
  if (begin == std::string::npos) return {};
  const std::size_t end = out.find_last_not_of(' ');
  return std::string(utf8_prefix(std::string_view(out).substr(begin, end + 1 - begin), line_bytes_max));
}

}  // namespace

Micros micros_of(const Value* value) {
  if (value == nullptr || !value->is_number()) return 0;
  return std::max<Micros>(to_micros(value->number()), 0);
}

std::string flaw_of_price(const Value* value) {
  if (value == nullptr || value->is_null() ||
      (value->is_number() && holds(ranges::price, to_micros(value->number()))))
    return {};
  return fmt::format("{} is not a price", utf8_prefix(one_line(to_json(*value)), price_bytes_max));
}

Micros told_price(const Value* value) { return flaw_of_price(value).empty() ? micros_of(value) : 0; }

std::int64_t count_of(const Value* value) {
  if (value == nullptr || !value->is_number()) return 0;
  return value->is_integer() ? std::max<std::int64_t>(value->integer(), 0) : micros_of(value) / one;
}

std::string text_of(const Value* value) {
  if (value == nullptr || value->is_null()) return {};
  return value->is_string() ? value->string() : to_json(*value);
}

const Value* at_path(const Value& value, std::string_view path) {
  if (path.empty()) return nullptr;
  const Value* at = &value;
  while (at != nullptr && !path.empty()) {
    const std::string_view key = next_key(path);
    at = at->is_array() ? element(*at, key) : at->find(key);
  }
  return at;
}

std::string last_line(std::string_view text) {
  while (!text.empty()) {
    const std::size_t newline = text.rfind('\n');
    const std::string line = clean(newline == std::string_view::npos ? text : text.substr(newline + 1));
    if (!line.empty()) return line;
    text = newline == std::string_view::npos ? std::string_view{} : text.substr(0, newline);
  }
  return {};
}

std::string one_line(std::string_view text) { return clean(text); }

}  // namespace bidboard
