#include "runtime/mcp/toml_table.hpp"

#include <algorithm>
#include <optional>

#include "blackboard/fmt.hpp"

namespace bidboard::mcp {
namespace {

struct TomlLine {
  std::string_view text;   ///< without its line break
  bool continues = false;  ///< begins within a text or a list
};

/// Where strings and lists are open, from character to character.
class Nesting {
 public:
  bool open() const { return depth_ > 0 || !quote_.empty(); }
  /// What no TOML file has.
  bool broken() const { return broken_; }

  void read(std::string_view line) {
    for (std::size_t i = 0; i < line.size();) i += step(line.substr(i));
    broken_ = broken_ || quote_.size() == 1 || depth_ < 0;  // a text in simple quotes ends with its line
  }

 private:
  /// Returns how many characters belong together.
  std::size_t step(std::string_view rest) {
    const char c = rest[0];
    if (!quote_.empty()) {
      if (c == '\\' && quote_[0] == '"') return std::min<std::size_t>(2, rest.size());
      if (!rest.starts_with(quote_)) return 1;
      const std::size_t length = quote_.size();
      quote_ = {};
      return length;
    }
    if (c == '#') return rest.size();
    if (c == '"' || c == '\'') {
      const std::string_view three = c == '"' ? R"(""")" : "'''";
      quote_ = rest.starts_with(three) ? three : three.substr(0, 1);
      return quote_.size();
    }
    if (c == '[' || c == '{') ++depth_;
    if (c == ']' || c == '}') --depth_;
    return 1;
  }

  int depth_ = 0;
  bool broken_ = false;
  std::string_view quote_;
};

/// Nothing: a text or a list does not end, or ends twice.
std::optional<std::vector<TomlLine>> read_lines(std::string_view text) {
  std::vector<TomlLine> lines;
  Nesting nesting;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back({text.substr(0, end), nesting.open()});
    nesting.read(lines.back().text);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (nesting.open() || nesting.broken()) return {};
  return lines;
}

/// Without spaces and quotes, up to a comment: " [ a . "b" ] # c" is "[a.b]".
std::string bare(std::string_view line) {
  std::string text;
  for (const char c : line.substr(0, line.find('#')))
    if (c != ' ' && c != '\t' && c != '\r' && c != '"' && c != '\'') text += c;
  return text;
}

bool is_header(const TomlLine& line) { return !line.continues && bare(line.text).starts_with('['); }
bool says_nothing(const TomlLine& line) { return !line.continues && bare(line.text).empty(); }

/// Lines from begin to before end; none if both are alike.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

Range find_table(const std::vector<TomlLine>& lines, const TomlTable& table) {
  const std::string own = fmt::format("[{}.{}]", table.parent, table.name);
  const std::string below = fmt::format("[{}.{}.", table.parent, table.name);
  const auto ours = [&](const TomlLine& line) {
    return is_header(line) && (bare(line.text) == own || bare(line.text).starts_with(below));
  };
  const auto begin = std::ranges::find_if(lines, ours);
  auto end = begin;
  for (bool inside = true; end != lines.end() && inside;) {
    ++end;
    inside = end != lines.end() && (!is_header(*end) || ours(*end));
  }
  // Comments above the next table are that table's.
  while (end != begin && end != lines.end() && says_nothing(*(end - 1))) --end;
  return {static_cast<std::size_t>(begin - lines.begin()), static_cast<std::size_t>(end - lines.begin())};
}

/// parent.name = {...}, or name = {...} below [parent], or parent = {...}: equivalent, but not ours to
/// change.
bool has_other_form(const std::vector<TomlLine>& lines, const TomlTable& table) {
  std::string header;
  for (const TomlLine& line : lines) {
    if (is_header(line)) header = bare(line.text);
    if (line.continues || is_header(line)) continue;
    const std::string text = bare(line.text);
    const auto sets = [&](const std::string& key) {
      return text.starts_with(key + "=") || text.starts_with(key + ".");
    };
    const bool at_top = header.empty() && (text.starts_with(table.parent + "=") ||
                                           sets(fmt::format("{}.{}", table.parent, table.name)));
    if (at_top || (header == fmt::format("[{}]", table.parent) && sets(table.name))) return true;
  }
  return false;
}

std::string joined(const std::vector<TomlLine>& lines, Range range) {
  std::string text;
  for (std::size_t i = range.begin; i < range.end; ++i) text.append(lines[i].text).append("\n");
  return text;
}

Result<std::vector<TomlLine>> check(std::string_view text, const TomlTable& table) {
  std::optional<std::vector<TomlLine>> lines = read_lines(text);
  if (!lines)
    return fail(Errc::invalid,
                "it is not TOML: a text or a list in it does not end, or ends twice; correct it first");
  if (has_other_form(*lines, table))
    return fail(Errc::invalid, fmt::format("it sets {}.{} in another form than [{}.{}]; change that by hand",
                                           table.parent, table.name, table.parent, table.name));
  return std::move(*lines);
}

}  // namespace

Result<std::string> with_table(std::string_view text, const TomlTable& table) {
  const Result<std::vector<TomlLine>> lines = check(text, table);
  if (!lines) return fail(lines.error());
  const Range range = find_table(*lines, table);
  std::string own = fmt::format("[{}.{}]\n", table.parent, table.name);
  for (const std::string& line : table.lines) own += line + "\n";
  const bool is_new = range.begin == range.end;
  if (!is_new && joined(*lines, range) == own) return std::string(text);
  return joined(*lines, {0, range.begin}) + (is_new && !lines->empty() ? "\n" : "") + own +
         joined(*lines, {range.end, lines->size()});
}

Result<std::string> without_table(std::string_view text, const TomlTable& table) {
  const Result<std::vector<TomlLine>> lines = check(text, table);
  if (!lines) return fail(lines.error());
  Range range = find_table(*lines, table);
  if (range.begin == range.end) return std::string(text);
  if (range.begin > 0 && says_nothing((*lines)[range.begin - 1]) && (*lines)[range.begin - 1].text.empty())
    --range.begin;
  return joined(*lines, {0, range.begin}) + joined(*lines, {range.end, lines->size()});
}

}  // namespace bidboard::mcp
