#include "runtime/shell/print.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "blackboard/text/readable.hpp"

namespace bidboard {
namespace {

constexpr std::size_t narrowest_last_column = 20;

/// Bytes of the character that begins at `at`, an escape sequence counting as one character of width 0.
std::pair<std::size_t, std::size_t> step(std::string_view text, std::size_t at) {
  const auto byte = static_cast<unsigned char>(text[at]);
  if (byte == 0x1b) {
    const std::size_t end = text.find('m', at);
    return {end == std::string_view::npos ? text.size() - at : end - at + 1, 0};
  }
  std::size_t length = byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
  return {std::min(length, text.size() - at), 1};
}

}  // namespace

Shown::Shown(std::string_view raw) : text_(readable(raw)) {}

Shown Shown::lines(std::string_view raw) { return own(readable_lines(raw)); }

Shown Shown::own(std::string text) {
  Shown shown;
  shown.text_ = std::move(text);
  return shown;
}

void print_json(Value data) {
  Value envelope{Value::Object{}};
  envelope.set("schema", "bidboard/1");
  envelope.set("data", std::move(data));
  write_out(to_json(envelope, 2) + "\n");
}

void print_json_line(const Value& value) { write_out(to_json(value) + "\n"); }

bool is_terminal() {
  static const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  return terminal;
}

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

Duration whole_seconds(Duration span) { return seconds(span.us / 1'000'000); }

bool in_natural_order(std::string_view a, std::string_view b) {
  const auto digits = [](std::string_view text) {
    return text.substr(0, std::min(text.size(), text.find_first_not_of("0123456789")));
  };
  while (!a.empty() && !b.empty()) {
    const std::string_view left = digits(a), right = digits(b);
    if (!left.empty() && !right.empty()) {
      if (left.size() != right.size()) return left.size() < right.size();
      if (left != right) return left < right;
      a.remove_prefix(left.size());
      b.remove_prefix(right.size());
    } else {
      if (a.front() != b.front()) return a.front() < b.front();
      a.remove_prefix(1);
      b.remove_prefix(1);
    }
  }
  return a.size() < b.size();
}

Shown coloured(Colour colour, const Shown& text) {
  static const bool wanted = is_terminal() && std::getenv("NO_COLOR") == nullptr;
  if (!wanted || colour == Colour::plain) return text;
  constexpr const char* codes[] = {"", "1", "2", "31", "32", "33", "34", "36"};
  return Shown::own(fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<int>(colour)], text.text()));
}

std::size_t display_width(const Shown& shown) {
  const std::string_view text = shown.text();
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto [bytes, columns] = step(text, at);
    at += bytes;
    width += columns;
  }
  return width;
}

Shown padded(const Shown& text, std::size_t columns) {
  const std::size_t width = display_width(text);
  return Shown::own(text.text() + std::string(columns > width ? columns - width : 0, ' '));
}

Shown cut_to(const Shown& shown, std::size_t columns) {
  if (display_width(shown) <= columns) return shown;
  const std::string_view text = shown.text();
  std::string out;
  std::size_t width = 0;
  bool coloured = false;
  for (std::size_t at = 0; at < text.size() && width + 1 < columns;) {
    const auto [bytes, wide] = step(text, at);
    out += text.substr(at, bytes);
    if (wide == 0) coloured = true;
    at += bytes;
    width += wide;
  }
  return Shown::own(out + (coloured ? "\x1b[0m…" : "…"));
}

Shown wrapped(const Shown& shown) {
  if (!is_terminal()) return shown;
  const std::size_t columns = terminal_width();
  const std::string_view text = shown.text();
  std::string out;
  std::size_t used = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at + 1), text.size());
    const Shown word = Shown::own(std::string(text.substr(at, end - at)));  // with the space before it
    const std::size_t width = display_width(word);
    const bool breaks = text[at] == '\n';
    if (breaks) used = 0;
    if (!breaks && used > 0 && used + width > columns && text[at] == ' ') {
      out += '\n' + word.text().substr(1);
      used = width - 1;
    } else {
      out += word.text();
      used += breaks ? width - 1 : width;
    }
    at = end;
  }
  return Shown::own(out);
}

void Table::print() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], display_width(row[c]));
  std::size_t before_last = 0;
  for (std::size_t c = 0; c + 1 < widths.size(); ++c) before_last += widths[c] + 2;
  const std::size_t screen = terminal_width();
  const std::size_t last =
      is_terminal() ? std::max(narrowest_last_column, screen > before_last ? screen - before_last : 0)
                    : std::string::npos;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (std::size_t c = 0; c < rows_[r].size(); ++c)
      line += c + 1 == rows_[r].size() ? cut_to(rows_[r][c], last).text()
                                       : padded(rows_[r][c], widths[c] + 2).text();
    while (line.ends_with(' ')) line.pop_back();
    say("{}", r == 0 ? coloured(Colour::dim, Shown::own(line)) : Shown::own(line));
  }
}

}  // namespace bidboard
