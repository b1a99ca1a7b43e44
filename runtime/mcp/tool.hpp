// A tool that a session can call: what is told of it, and what it does. Pure, as far as its function is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/text/document.hpp"
#include "blackboard/time.hpp"

namespace bidboard::mcp {

/// What a tool answers; an error says what to do next.
struct Said {
  std::string text;
  bool is_error = false;
};

/// One argument of a tool.
struct Parameter {
  enum class Type { text, texts, number, integer };
  std::string name;
  Type type = Type::text;
  std::string help;  ///< may be empty
  bool required = false;
  std::optional<std::int64_t> least = {};  ///< of numbers
  std::optional<std::int64_t> most = {};
};

struct Tool {
  std::string name;
  std::string description;
  std::vector<Parameter> parameters;
  bool read_only = false;
  /// Nothing: not yet, and it is asked again. `waited`: since the call came. REQUIRES: the arguments pass
  /// flaw_of_arguments.
  std::function<std::optional<Said>(const Value& arguments, Duration waited)> run;
};

/// Longer than any call may wait: a tool that is asked with this answers at once.
constexpr Duration waited_enough = minutes(60);

/// The beginning of a name that a client made up, for an error.
std::string short_name(std::string_view name);
/// "did you mean 'x'?", or empty: none of the candidates is near.
std::string suggestion(std::string_view name, const std::vector<std::string>& candidates);

/// As `tools/list` describes it.
Value described(const Tool& tool);

/// What is wrong with the arguments of a call, and what would be right; empty: nothing.
std::string flaw_of_arguments(const Tool& tool, const Value& arguments);

/// The argument; empty if it was not given.
std::string text_argument(const Value& arguments, std::string_view name);
std::vector<std::string> texts_argument(const Value& arguments, std::string_view name);
std::int64_t integer_argument(const Value& arguments, std::string_view name, std::int64_t otherwise);

}  // namespace bidboard::mcp
