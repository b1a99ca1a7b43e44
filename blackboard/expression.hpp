// A formula over scalars, in Lua 5.4: `size / speed + 0.5 * needs`. Deterministic and bounded: no `pairs`, string patterns,
// `math.random`, `tostring` of tables, `os`, `io`, `require`, metatables or loops without end (an instruction limit applies);
// memory is bounded. One Expression is for one thread; evaluating it keeps nothing from one call to the next.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Numbers are passed as doubles of the micro value, and the result is quantised to micro-units on the way back.
using Scalar = std::variant<bool, Micros, std::string>;
struct Variable {
  std::string_view name;
  Scalar value;
};

class Expression {
 public:
  /// Compiles an expression (not statements). Errors: invalid, with position and Lua's message in plain words.
  static Result<Expression> compile(std::string_view text);
  ~Expression();
  Expression(Expression&&) noexcept;
  Expression& operator=(Expression&&) noexcept;

  /// The numeric value. Errors: invalid (an unknown variable by name, not a number, NaN or infinite, too many steps).
  Result<Micros> number(std::span<const Variable> variables) const;
  /// Lua truth: everything but false and nil.
  Result<bool> truth(std::span<const Variable> variables) const;

 private:
  struct Impl;
  explicit Expression(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
