// A formula over scalars, in Lua 5.4: `size / speed + 0.5 * needs`. Deterministic and bounded. There are the
// variables given, Lua's operators, and math.abs, ceil, floor, max, min, sqrt, huge and pi: no pairs, string
// methods or patterns, random numbers, conversions, metatables, os, io or require. An evaluation ends after
// 100,000 Lua instructions or with 1 MB of memory, freed or not; a text that it makes with 1 KB, so that no
// instruction takes long; a formula with 16 KB. It assigns nothing: each evaluation
// (some 10 µs) begins anew, so an Expression may be shared between threads. (Texts are for comparing by ==
// and ~=; < follows the process's locale.)
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// A number 1'500'000 is 1.5 in the formula; its result is rounded to micro-units on the way back (and
/// clamped to ±4e18).
using Scalar = std::variant<bool, Micros, std::string>;
struct Variable {
  std::string_view name;
  Scalar value;
};

class Expression {
 public:
  /// Compiles an expression (not statements). Errors: invalid, "line 1: " and Lua's words; failed without
  /// memory.
  static Result<Expression> compile(std::string_view text);
  /// The numeric value. Errors: invalid (an unknown variable by name, not a number, NaN or infinite, too many
  /// steps, too much memory).
  Result<Micros> number(std::span<const Variable> variables) const;
  /// Lua truth: everything but false and nil.
  Result<bool> truth(std::span<const Variable> variables) const;

 private:
  explicit Expression(std::string text);
  std::string text_;  ///< known to compile
};

}  // namespace bidboard
