#include "blackboard/text/redaction.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/text/utf8.hpp"

namespace bidboard {
namespace {

/// What a piece of text is, as far as it goes.
enum class Begins : std::uint8_t { no, perhaps, yes };

/// A character of a JSON string at the begin of a text (RFC 8259, section 7).
struct Unit {
  Begins whole = Begins::no;  ///< perhaps: the text ends inside it
  std::string bytes;
  std::size_t length = 0;  ///< of what stands for them in the text
};

/// The four digits of \uXXXX at the begin of the text; nothing: they are none.
std::optional<std::uint32_t> utf16_unit(std::string_view text) {
  std::uint32_t value = 0;
  const char* end = text.data() + 6;
  if (text.size() < 6 || !text.starts_with("\\u")) return {};
  const auto [read, error] = std::from_chars(text.data() + 2, end, value, 16);
  if (error != std::errc() || read != end) return {};
  return value;
}

Unit unicode_escape(std::string_view text) {
  constexpr std::size_t escape_length = 6;
  if (text.size() < escape_length) return {Begins::perhaps, {}, 0};
  const std::optional<std::uint32_t> first = utf16_unit(text);
  if (!first) return {};
  const bool is_high = (*first & 0xfc00) == 0xd800;
  if (!is_high) return {Begins::yes, utf8_of(*first), escape_length};
  if (text.size() < 2 * escape_length) return {Begins::perhaps, {}, 0};
  const std::optional<std::uint32_t> second = utf16_unit(text.substr(escape_length));
  if (!second || (*second & 0xfc00) != 0xdc00) return {};
  return {Begins::yes, utf8_of(0x10000 + ((*first & 0x3ff) << 10) + (*second & 0x3ff)), 2 * escape_length};
}

/// `text` is not empty.
Unit unit_of(std::string_view text) {
  if (text.front() != '\\') return {Begins::yes, std::string(1, text.front()), 1};
  if (text.size() == 1) return {Begins::perhaps, {}, 0};
  if (text[1] == 'u') return unicode_escape(text);
  constexpr std::string_view escapes = "\"\\/bfnrt";
  constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
  const std::size_t which = escapes.find(text[1]);
  return which == escapes.npos ? Unit{} : Unit{Begins::yes, std::string(1, meanings[which]), 2};
}

struct Found {
  Begins whole = Begins::no;
  std::size_t length = 0;
};

/// Whether the text begins with these bytes, as they are.
Found plainly(std::string_view text, std::string_view bytes) {
  if (text.starts_with(bytes)) return {Begins::yes, bytes.size()};
  return {bytes.starts_with(text) ? Begins::perhaps : Begins::no, 0};
}

/// Whether the text, whose first backslash is there, begins with these bytes in the form of a JSON string.
Found in_json(std::string_view text, std::string_view bytes, std::size_t backslash) {
  // Most of what begins like a secret is none, and has no escape in it either.
  if (backslash >= bytes.size() || !bytes.starts_with(text.substr(0, backslash))) return {};
  std::size_t at = backslash;
  bytes.remove_prefix(backslash);
  while (!bytes.empty()) {
    if (at == text.size()) return {Begins::perhaps, 0};
    const Unit unit = unit_of(text.substr(at));
    if (unit.whole != Begins::yes) return {unit.whole, 0};
    if (!bytes.starts_with(unit.bytes)) return {};
    bytes.remove_prefix(unit.bytes.size());
    at += unit.length;
  }
  return {Begins::yes, at};
}

}  // namespace

Redactor::Redactor(const std::vector<EnvVariable>& secrets) {
  const auto add = [this](std::string_view bytes, const std::string& name) {
    if (bytes.size() < hidden_bytes_min) return;
    patterns_.push_back({std::string(bytes), fmt::format("[secret {}]", name)});
    first_bytes_[static_cast<unsigned char>(bytes.front())] = true;
  };
  for (const auto& [name, value] : secrets) {
    add(value, name);
    std::string_view rest = value;
    while (rest.size() < value.size() || rest.find('\n') != std::string_view::npos) {
      std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.ends_with('\r')) line.remove_suffix(1);
      add(line, name);
      if (rest.empty()) break;
    }
  }
  first_bytes_['\\'] = !patterns_.empty();
  std::ranges::stable_sort(patterns_, std::ranges::greater{},
                           [](const Pattern& p) { return p.bytes.size(); });
}

std::size_t Redactor::clean(std::string_view text, bool ends, std::string& out) const {
  std::size_t at = 0;
  std::size_t backslash = std::min(text.find('\\'), text.size());  // the next one
  while (at < text.size()) {
    std::size_t plain = at;
    while (plain < text.size() && !first_bytes_[static_cast<unsigned char>(text[plain])]) ++plain;
    out.append(text.substr(at, plain - at));
    at = plain;
    if (at == text.size()) break;
    const std::string_view rest = text.substr(at);
    if (backslash < at) backslash = std::min(text.find('\\', at), text.size());
    const Pattern* hidden = nullptr;
    std::size_t length = 1;
    for (const Pattern& pattern : patterns_) {
      for (const Found& found :
           {plainly(rest, pattern.bytes), in_json(rest, pattern.bytes, backslash - at)}) {
        // Even if a shorter one is there already: the longer one would hide more.
        if (found.whole == Begins::perhaps && !ends) return at;
        if (found.whole != Begins::yes || hidden) continue;
        hidden = &pattern;
        length = found.length;
      }
    }
    out += hidden ? std::string_view(hidden->shown) : rest.substr(0, 1);
    at += length;
  }
  return at;
}

std::string Redactor::clean(std::string_view text) const {
  if (empty()) return std::string(text);
  std::string out;
  clean(text, true, out);
  return out;
}

std::string RedactedStream::feed(std::string bytes, bool ends) {
  if (redactor_->empty()) return bytes;
  held_ += bytes;
  std::string out;
  held_.erase(0, redactor_->clean(held_, ends, out));
  return out;
}

}  // namespace bidboard
