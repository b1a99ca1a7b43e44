// What commands print: sentences and tables for people, the JSON envelope for programs. Text that came from
// elsewhere is escaped on its way to people, here and nowhere else. Colour only on a terminal.
//
//   say("{} is {}", task.id, task.spec.title);        // the title is escaped
//   say("{}", coloured(Colour::red, "damaged:"));     // and so is text that is coloured
#pragma once

#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"
#include "runtime/shell/output.hpp"

namespace bidboard {

/// Text that may go to a terminal. Made from any other text it is escaped, on one line.
class Shown {
 public:
  Shown(std::string_view raw);
  Shown(const std::string& raw) : Shown(std::string_view(raw)) {}
  Shown(const char* raw) : Shown(std::string_view(raw)) {}
  /// Line breaks and tabs stay.
  static Shown lines(std::string_view raw);
  /// Text of our own (help, layout), or made of Shown: not escaped.
  static Shown own(std::string text);

  const std::string& text() const { return text_; }
  bool empty() const { return text_.empty(); }
  Shown& operator+=(const Shown& more) {
    text_ += more.text_;
    return *this;
  }

 private:
  Shown() = default;
  std::string text_;
};

/// What a value becomes in a sentence: texts are Shown; ids, numbers and names of states cannot do harm.
template <class T>
struct ForPeople {
  static constexpr bool is_text = std::is_convertible_v<const T&, std::string_view>;
  using Type = std::conditional_t<is_text || std::is_same_v<T, Shown>, std::string, const T&>;
  static Type of(const T& value) {
    if constexpr (std::is_same_v<T, Shown>)
      return value.text();
    else if constexpr (is_text)
      return Shown(std::string_view(value)).text();
    else
      return value;
  }
};
template <class T>
using for_people_t = std::remove_cvref_t<typename ForPeople<std::decay_t<const T&>>::Type>;

/// fmt::format for people. The format is ours.
template <class... Args>
Shown words(fmt::format_string<const for_people_t<Args>&...> format, const Args&... args) {
  const auto format_all = [&](const auto&... values) {
    return fmt::vformat(format, fmt::make_format_args(values...));
  };
  return Shown::own(format_all(ForPeople<std::decay_t<const Args&>>::of(args)...));
}
/// A line on stdout. Throws OutputFailed, as do all that print.
template <class... Args>
void say(fmt::format_string<const for_people_t<Args>&...> format, const Args&... args) {
  write_out(words<Args...>(format, args...).text() + "\n");
}
/// A line on stderr: a hint, or what goes on.
template <class... Args>
void hint(fmt::format_string<const for_people_t<Args>&...> format, const Args&... args) {
  write_error(words<Args...>(format, args...).text() + "\n");
}

/// {"schema": "bidboard/1", "data": ...} on stdout.
void print_json(Value data);
/// One line of JSON.
void print_json_line(const Value& value);

/// Each column is as wide as its longest cell; the last one is cut at the terminal's width.
class Table {
 public:
  explicit Table(std::vector<Shown> headings) : rows_{std::move(headings)} {}
  void add(std::vector<Shown> row) { rows_.push_back(std::move(row)); }
  bool empty() const { return rows_.size() == 1; }
  void print() const;

 private:
  std::vector<std::vector<Shown>> rows_;
};

enum class Colour { plain, bold, dim, red, green, yellow, blue, cyan };
/// The text, coloured when stdout is a terminal and NO_COLOR is not set.
Shown coloured(Colour colour, const Shown& text);
bool is_terminal();
/// Columns; 100 when stdout is none.
std::size_t terminal_width();
/// Columns on the screen: UTF-8 characters, colours left out.
std::size_t display_width(const Shown& text);
/// With spaces behind it, up to so many columns.
Shown padded(const Shown& text, std::size_t columns);
/// "1m10s": no fractions, for what goes on.
Duration whole_seconds(Duration span);
/// "worker2" before "worker10".
bool in_natural_order(std::string_view a, std::string_view b);
/// For a sentence: on a terminal, its lines end between words, not within.
Shown wrapped(const Shown& text);
/// At most so many columns, the rest replaced by "…".
Shown cut_to(const Shown& text, std::size_t columns);

}  // namespace bidboard
