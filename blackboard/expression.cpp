#include "blackboard/expression.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <lua.hpp>
#include <utility>

#include "blackboard/check.hpp"

// The Lua this links to is built as C++: its errors are exceptions that Lua itself catches in lua_pcall. So
// everything that may fail, be it for lack of memory, runs inside one protected call, and no callback of ours
// throws.
static_assert(LUA_VERSION_NUM == 504, "written for Lua 5.4: check the traps listed in expression_test.cpp");

namespace bidboard {
namespace {

constexpr std::size_t formula_bytes_max = 16 * 1024;
constexpr std::size_t memory_bytes_max = 1024 * 1024;
constexpr int steps_max = 100'000;  ///< Lua instructions of one evaluation

/// What one Lua state may still use. Lua keeps a pointer to it.
struct Allowance {
  std::size_t bytes = 0;  ///< in use
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
    Allowance& allowance = *static_cast<Allowance*>(self);
    const std::size_t before = block ? old_size : 0;  // without a block, old_size is the kind of object
    if (new_size == 0) {
      std::free(block);
      allowance.bytes -= before;
      return nullptr;
    }
    if (new_size > before && new_size - before > memory_bytes_max - allowance.bytes) return nullptr;
    void* moved = std::realloc(block, new_size);
    if (moved) allowance.bytes += new_size - before;
    return moved;
  }
};

void stop(lua_State* lua, lua_Debug*) { luaL_error(lua, "takes more than %d steps", steps_max); }

// The functions of a formula. They take and give floats only: integers would wrap around silently.
template <double (*function)(double)>
int unary(lua_State* lua) {
  lua_pushnumber(lua, function(luaL_checknumber(lua, 1)));
  return 1;
}
template <bool (*better)(double, double)>
int extreme(lua_State* lua) {
  double best = luaL_checknumber(lua, 1);
  for (int i = 2; i <= lua_gettop(lua); ++i)
    if (const double next = luaL_checknumber(lua, i); better(next, best)) best = next;
  lua_pushnumber(lua, best);
  return 1;
}
double absolute(double x) { return std::fabs(x); }
double round_down(double x) { return std::floor(x); }
double round_up(double x) { return std::ceil(x); }
double square_root(double x) { return std::sqrt(x); }
bool less(double a, double b) { return a < b; }
bool greater(double a, double b) { return a > b; }

constexpr std::array<luaL_Reg, 6> functions{{
    {"abs", unary<absolute>},
    {"ceil", unary<round_up>},
    {"floor", unary<round_down>},
    {"max", extreme<greater>},
    {"min", extreme<less>},
    {"sqrt", unary<square_root>},
}};

/// __index of the variables: what is not there is a mistake, never nil.
int unknown_variable(lua_State* lua) {
  if (lua_type(lua, 2) != LUA_TSTRING) return luaL_error(lua, "a variable's name is text");
  return luaL_error(lua, "unknown variable '%s'", lua_tostring(lua, 2));
}
int unknown_function(lua_State* lua) {
  if (lua_type(lua, 2) != LUA_TSTRING) return luaL_error(lua, "a function's name is text");
  return luaL_error(lua, "unknown function 'math.%s' (there are abs, ceil, floor, max, min, sqrt, huge, pi)",
                    lua_tostring(lua, 2));
}
/// __newindex: a formula gives a value and changes nothing.
int no_assignment(lua_State* lua) { return luaL_error(lua, "a formula cannot assign to global variables"); }

/// Gives the table on the stack's top a metatable with this __index.
void guard(lua_State* lua, lua_CFunction missing) {
  lua_createtable(lua, 0, 2);
  lua_pushcfunction(lua, missing);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, no_assignment);
  lua_setfield(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
}

void push_math(lua_State* lua) {
  lua_createtable(lua, 0, static_cast<int>(functions.size()) + 2);
  for (const luaL_Reg& function : functions) {
    lua_pushcfunction(lua, function.func);
    lua_setfield(lua, -2, function.name);
  }
  lua_pushnumber(lua, HUGE_VAL);
  lua_setfield(lua, -2, "huge");
  lua_pushnumber(lua, 3.141592653589793);
  lua_setfield(lua, -2, "pi");
  guard(lua, unknown_function);
}

void push_scalar(lua_State* lua, const Scalar& value) {
  if (const auto* flag = std::get_if<bool>(&value))
    lua_pushboolean(lua, *flag);
  else if (const auto* number = std::get_if<Micros>(&value))
    lua_pushnumber(lua, from_micros(*number));
  else
    lua_pushlstring(lua, std::get<std::string>(value).data(), std::get<std::string>(value).size());
}

/// [formula, variables] → [value]: the formula with fresh globals, so that nothing is kept from the
/// evaluation before.
int evaluate_protected(lua_State* lua) {
  const auto& variables = *static_cast<const std::span<const Variable>*>(lua_touserdata(lua, 2));
  lua_settop(lua, 1);
  lua_createtable(lua, 0, static_cast<int>(variables.size()) + 1);
  push_math(lua);
  lua_setfield(lua, -2, "math");
  for (const Variable& variable : variables) {
    lua_pushlstring(lua, variable.name.data(), variable.name.size());
    push_scalar(lua, variable.value);
    lua_rawset(lua, -3);
  }
  guard(lua, unknown_variable);
  lua_setupvalue(lua, 1, 1);  // _ENV, always a chunk's first upvalue
  lua_call(lua, 0, 1);
  return 1;
}

/// [formula's text] → [function]. `return TEXT` alone would take "1, 2" or "1;", `return (TEXT)` alone "1),
/// (2": what compiles both ways is an expression.
int compile_protected(lua_State* lua) {
  const auto& text = *static_cast<const std::string_view*>(lua_touserdata(lua, 1));
  constexpr std::array<std::pair<std::string_view, std::string_view>, 2> frames{
      {{"return ", "\n"}, {"return (", "\n)"}}};
  for (const auto& [before, after] : frames) {
    lua_pushlstring(lua, before.data(), before.size());
    lua_pushlstring(lua, text.data(), text.size());
    lua_pushlstring(lua, after.data(), after.size());
    lua_concat(lua, 3);
    std::size_t size = 0;
    const char* chunk = lua_tolstring(lua, -1, &size);
    if (luaL_loadbufferx(lua, chunk, size, "=line", "t") != LUA_OK) return lua_error(lua);
  }
  lua_settop(lua, 3);
  return 1;
}

/// What lies on top after a failed call, in plain words.
std::string message(lua_State* lua, int status) {
  if (status == LUA_ERRMEM)
    return "needs more than " + std::to_string(memory_bytes_max / 1024) + " KB of memory";
  if (lua_type(lua, -1) != LUA_TSTRING) return "failed without saying why";
  std::size_t size = 0;
  const char* text = lua_tolstring(lua, -1, &size);
  std::string words(text, size);
  // "line:2: unexpected symbol" → "line 2: unexpected symbol"
  if (words.starts_with("line:")) words[4] = ' ';
  return words;
}

}  // namespace

struct Expression::Impl {
  Allowance allowance;
  lua_State* lua = nullptr;  ///< its stack holds the compiled formula and nothing else between calls

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (lua) lua_close(lua);
  }

  /// The value, then on top of the stack, is handed to `read`.
  template <class T, class Read>
  Result<T> evaluate(std::span<const Variable> variables, Read read) {
    lua_pushcfunction(lua, evaluate_protected);
    lua_pushvalue(lua, 1);
    lua_pushlightuserdata(lua, &variables);
    lua_sethook(lua, stop, LUA_MASKCOUNT, steps_max);
    const int status = lua_pcall(lua, 2, 1, 0);
    lua_sethook(lua, nullptr, 0, 0);
    Result<T> result = status == LUA_OK ? read(lua) : fail(Errc::invalid, message(lua, status));
    lua_settop(lua, 1);
    lua_gc(lua, LUA_GCCOLLECT);  // else what the next one may use would depend on what this one left
    return result;
  }
};

Expression::Expression(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Expression::~Expression() = default;
Expression::Expression(Expression&&) noexcept = default;
Expression& Expression::operator=(Expression&&) noexcept = default;

Result<Expression> Expression::compile(std::string_view text) {
  if (text.size() > formula_bytes_max)
    return fail(Errc::invalid, "the formula has " + std::to_string(text.size()) + " bytes, at most " +
                                   std::to_string(formula_bytes_max) + " are allowed");
  auto impl = std::make_unique<Impl>();
  impl->lua = lua_newstate(&Allowance::allocate, &impl->allowance);
  if (!impl->lua) return fail(Errc::failed, "no memory for a formula");
  // No library is opened: in particular strings have no methods, so neither ("x"):rep(1e9) nor patterns
  // exist.
  lua_pushcfunction(impl->lua, compile_protected);
  lua_pushlightuserdata(impl->lua, &text);
  if (const int status = lua_pcall(impl->lua, 1, 1, 0); status != LUA_OK)
    return fail(Errc::invalid, message(impl->lua, status));
  return Expression(std::move(impl));
}

Result<Micros> Expression::number(std::span<const Variable> variables) const {
  return impl_->evaluate<Micros>(variables, [](lua_State* lua) -> Result<Micros> {
    // Not lua_isnumber: that takes "10" for a number.
    if (lua_type(lua, -1) != LUA_TNUMBER)
      return fail(Errc::invalid,
                  std::string("gives a ") + lua_typename(lua, lua_type(lua, -1)) + ", not a number");
    const double value = lua_tonumber(lua, -1);
    if (std::isnan(value)) return fail(Errc::invalid, "gives no number: zero divided by zero, or the like");
    if (std::isinf(value)) return fail(Errc::invalid, "gives infinity: a division by zero, or the like");
    return to_micros(value);
  });
}

Result<bool> Expression::truth(std::span<const Variable> variables) const {
  return impl_->evaluate<bool>(variables,
                               [](lua_State* lua) -> Result<bool> { return lua_toboolean(lua, -1) != 0; });
}

}  // namespace bidboard
