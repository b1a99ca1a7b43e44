#include "runtime/shell/print.hpp"
#include "blackboard/fmt.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>

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

std::string on_one_line(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' && c != 0x1b) c = ' ';
  return text;
}

}  // namespace

std::size_t terminal_width() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 100;
}

void print_json(Value data) {
  Value envelope{Value::Object{}};
  envelope.set("schema", "bidboard/1");
  envelope.set("data", std::move(data));
  std::puts(to_json(envelope, 2).c_str());
}

bool is_terminal() {
  static const bool terminal = ::isatty(STDOUT_FILENO) != 0;
  return terminal;
}

std::string coloured(Colour colour, std::string_view text) {
  static const bool wanted = is_terminal() && std::getenv("NO_COLOR") == nullptr;
  if (!wanted || colour == Colour::plain) return std::string(text);
  constexpr const char* codes[] = {"", "1", "2", "31", "32", "33", "34", "36"};
  return fmt::format("\x1b[{}m{}\x1b[0m", codes[static_cast<int>(colour)], text);
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto [bytes, columns] = step(text, at);
    at += bytes;
    width += columns;
  }
  return width;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  std::string out;
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size() && width + 1 < columns;) {
    const auto [bytes, wide] = step(text, at);
    out += text.substr(at, bytes);
    at += bytes;
    width += wide;
  }
  return out + "…";
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
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      const std::string cell = on_one_line(rows_[r][c]);
      if (c + 1 == rows_[r].size())
        line += cut_to(cell, last);
      else
        line += cell + std::string(widths[c] - display_width(cell) + 2, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    std::puts(r == 0 ? coloured(Colour::dim, line).c_str() : line.c_str());
  }
}

}  // namespace bidboard
