// What commands print: tables for people, the JSON envelope for programs. Colour only on a terminal.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "blackboard/text/document.hpp"

namespace bidboard {

/// {"schema": "bidboard/1", "data": ...} on stdout.
void print_json(Value data);
/// Each column is as wide as its longest cell; the last one is cut at the terminal's width.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : rows_{std::move(headings)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  void print() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

enum class Colour { plain, bold, dim, red, green, yellow, blue, cyan };
/// The text, coloured when stdout is a terminal and NO_COLOR is not set.
std::string coloured(Colour colour, std::string_view text);
bool is_terminal();
/// In columns; 100 where stdout is no terminal.
std::size_t terminal_width();
/// Width on the screen: UTF-8 characters, escape sequences left out.
std::size_t display_width(std::string_view text);
/// At most so many columns, the rest replaced by "…".
std::string cut_to(std::string_view text, std::size_t columns);

}  // namespace bidboard
