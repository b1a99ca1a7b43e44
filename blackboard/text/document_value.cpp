// The tree itself, and the way back to text: needs no library.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "blackboard/text/document.hpp"
#include "blackboard/text/readable.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

/// JSON's own escape, which keeps the text exact: above U+FFFF as two halves of a surrogate pair.
void append_escape(std::string& out, std::uint32_t c) {
  if (c >= 0x10000) {
    append_escape(out, 0xd800 + ((c - 0x10000) >> 10));
    c = 0xdc00 + (c & 0x3ff);
  }
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += "0123456789abcdef"[c >> shift & 15];
}

/// What acts on a terminal is escaped too: people look at JSON.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd";  // U+FFFD
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (c == '\r') {
      out += "\\r";
    } else if (const std::uint32_t point = code_point(text, length); acts_on_text(point)) {
      append_escape(out, point);
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  out += '"';
}

/// Shortest digits that read back as the same double; always with a point or an exponent, so that it stays a
/// real.
void append_double(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  char buffer[64];
  const double magnitude = std::fabs(number);
  const bool everyday = magnitude == 0 || (magnitude >= 1e-5 && magnitude < 1e16);
  const auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, number,
                    everyday ? std::chars_format::fixed : std::chars_format::scientific);
  const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
  out += digits;
  if (digits.find_first_of(".e") == digits.npos) out += ".0";
}

void append_line_break(std::string& out, int indent, int level) {
  if (indent <= 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(level), ' ');
}

void append_json(std::string& out, const Value& value, int indent, int level) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.boolean() ? "true" : "false";
  } else if (value.is_integer()) {
    out += std::to_string(value.integer());
  } else if (value.is_large()) {
    out += std::to_string(value.large());
  } else if (value.is_number()) {
    append_double(out, value.number());
  } else if (value.is_string()) {
    append_string(out, value.string());
  } else if (value.is_array()) {
    const char* separator = "[";
    for (const Value& element : value.array()) {
      out += separator;
      append_line_break(out, indent, level + 1);
      append_json(out, element, indent, level + 1);
      separator = indent > 0 ? "," : ", ";
    }
    if (value.array().empty())
      out += '[';
    else
      append_line_break(out, indent, level);
    out += ']';
  } else {
    const char* separator = "{";
    for (const Value::Member& member : value.object()) {
      out += separator;
      append_line_break(out, indent, level + 1);
      append_string(out, member.key);
      out += ": ";
      append_json(out, member.value, indent, level + 1);
      separator = indent > 0 ? "," : ", ";
    }
    if (value.object().empty())
      out += '{';
    else
      append_line_break(out, indent, level);
    out += '}';
  }
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

/// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment); more than `limit`
/// is limit + 1.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > limit) return limit + 1;
  std::vector<std::size_t> before_last, last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
    before_last = last;
    last = row;
  }
  return last[b.size()];
}

}  // namespace

const Value* Value::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : object())
    if (member.key == key) return &member.value;
  return nullptr;
}

Value& Value::set(std::string_view key, Value value) {
  if (is_null()) data_ = Object{};
  for (Member& member : object())
    if (member.key == key) return member.value = std::move(value);
  return object().emplace_back(Member{std::string(key), std::move(value), {}}).value;
}

void Value::push(Value value) {
  if (is_null()) data_ = Array{};
  array().push_back(std::move(value));
}

std::string_view Value::type_name() const {
  if (is_null()) return "nothing";
  if (is_bool()) return "true or false";
  if (is_integer()) return "a whole number";
  if (is_number()) return "a number";
  if (is_string()) return "text";
  if (is_array()) return "a list";
  return "a map";
}

std::string to_json(const Value& value, int indent) {
  std::string out;
  append_json(out, value, indent, 0);
  return out;
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t longest = 200;
  if (word.size() > longest) return {};
  const std::string wanted = lower_case(word);
  std::size_t best_distance = word.size() / 3;
  const std::string* best = nullptr;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(wanted, lower_case(candidate), best_distance);
    if (distance > best_distance || (best && distance == best_distance && candidate >= *best)) continue;
    best_distance = distance;
    best = &candidate;
  }
  return best ? *best : std::string();
}

}  // namespace bidboard
