#include "blackboard/text/expression.hpp"

#include <array>
#include <cmath>
#include <cstdlib>
#include <lua.hpp>
#include <memory>
#include <utility>

// The Lua this links to is built as C++: its errors are exceptions that Lua itself catches in lua_pcall. So
// everything that may fail, be it for lack of memory, runs inside one protected call, and no callback of ours
// throws.
static_assert(LUA_VERSION_NUM == 504, "written for Lua 5.4: check the traps listed in expression_test.cpp");
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::size_t formula_bytes_max = 16 * 1024;
constexpr std::size_t memory_bytes_max = 1024 * 1024;
constexpr int steps_max = 100'000;  ///< Lua instructions of one evaluation

/// No instruction costs more than about this many bytes' worth of time: text is compared, joined or read as a
/// number in one instruction, whatever its length.
constexpr std::size_t text_bytes_max = 1024;

/// What one Lua state has used. Lua keeps a pointer to it. What is freed is not given back, and no garbage is
/// collected: with little memory left, each instruction would cost a collection.
struct Allowance {
  std::size_t bytes = 0;       ///< ever allocated
  bool bounds_texts = false;   ///< the formula runs, and makes texts of its own
  bool text_too_long = false;  ///< why memory was refused
  static void* allocate(void* self, void* block, std::size_t old_size, std::size_t new_size) {
    Allowance& allowance = *static_cast<Allowance*>(self);
    const std::size_t before = block ? old_size : 0;  // without a block, old_size is the kind of object
    if (new_size == 0) {
      std::free(block);
      return nullptr;
    }
    if (new_size <= before) return std::realloc(block, new_size);
    constexpr std::size_t head = 64;  // of a text's own, at most
    const bool is_text = !block && old_size == LUA_TSTRING;
    if (allowance.bounds_texts && is_text && new_size > text_bytes_max + head) allowance.text_too_long = true;
    if (allowance.text_too_long || new_size > memory_bytes_max - allowance.bytes) return nullptr;
    void* moved = std::realloc(block, new_size);
    if (moved) allowance.bytes += new_size;
    return moved;
  }
};

void stop(lua_State* lua, lua_Debug*) { luaL_error(lua, "takes more than %d steps", steps_max); }

/// Not luaL_checknumber: that reads texts as numbers too.
double argument(lua_State* lua, int index) {
  luaL_checktype(lua, index, LUA_TNUMBER);
  return lua_tonumber(lua, index);
}

// The functions of a formula. They take and give floats only: integers would wrap around silently.
template <double (*function)(double)>
int unary(lua_State* lua) {
  lua_pushnumber(lua, function(argument(lua, 1)));
  return 1;
}
template <bool (*better)(double, double)>
int extreme(lua_State* lua) {
  double best = argument(lua, 1);
  for (int i = 2; i <= lua_gettop(lua); ++i)
    if (const double next = argument(lua, i); better(next, best)) best = next;
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

/// The pieces of a chunk that Lua has yet to read.
struct Pieces {
  std::array<std::string_view, 3> pieces;
  std::size_t next = 0;
  static const char* read(lua_State*, void* self, std::size_t* size) {
    Pieces& left = *static_cast<Pieces*>(self);
    while (left.next < left.pieces.size() && left.pieces[left.next].empty()) left.next += 1;
    if (left.next == left.pieces.size()) return nullptr;
    *size = left.pieces[left.next].size();
    return left.pieces[left.next++].data();
  }
};

/// Pushes the function that the text makes with this before and after it.
void load(lua_State* lua, std::string_view before, const std::string& text, std::string_view after) {
  Pieces pieces{{before, text, after}};
  if (lua_load(lua, Pieces::read, &pieces, "=line", "t") != LUA_OK) lua_error(lua);
}

struct Call {
  const std::string& text;
  std::span<const Variable> variables;
  bool compile_only = false;
  Allowance* allowance = nullptr;
};

/// [Call] → [value]
int evaluate_protected(lua_State* lua) {
  const Call& call = *static_cast<const Call*>(lua_touserdata(lua, 1));
  lua_gc(lua, LUA_GCSTOP);
  call.allowance->bounds_texts = true;
  load(lua, "return ", call.text, "\n");
  if (call.compile_only) {
    // So far "1, 2" and "1;" have passed; here they do not. What passes both is an expression.
    load(lua, "return (", call.text, "\n)");
    return 0;
  }
  call.allowance->bounds_texts = false;  // the variables are given
  const int formula = lua_gettop(lua);
  lua_createtable(lua, 0, static_cast<int>(call.variables.size()) + 1);
  push_math(lua);
  lua_setfield(lua, -2, "math");
  for (const Variable& variable : call.variables) {
    lua_pushlstring(lua, variable.name.data(), variable.name.size());
    push_scalar(lua, variable.value);
    lua_rawset(lua, -3);
  }
  guard(lua, unknown_variable);
  lua_setupvalue(lua, formula, 1);  // _ENV, always a chunk's first upvalue
  call.allowance->bounds_texts = true;
  lua_call(lua, 0, 1);
  return 1;
}

/// What lies on top after a failed call, in plain words.
std::string message(lua_State* lua, int status, const Allowance& allowance) {
  if (allowance.text_too_long) return fmt::format("makes a text of more than {} bytes", text_bytes_max);
  if (status == LUA_ERRMEM) return fmt::format("needs more than {} KB of memory", memory_bytes_max / 1024);
  if (lua_type(lua, -1) != LUA_TSTRING) return "failed without a message";
  std::size_t size = 0;
  const char* text = lua_tolstring(lua, -1, &size);
  std::string words(text, size);
  // "line:2: unexpected symbol" → "line 2: unexpected symbol"
  if (words.starts_with("line:")) words[4] = ' ';
  return words;
}

/// Hands the value, on top of the stack, to `read`. Each evaluation has a Lua of its own, for some 10 µs:
/// nothing is kept from the one before, not even how full its memory was.
template <class T, class Read>
Result<T> evaluate(Call call, Read read) {
  Allowance allowance;
  call.allowance = &allowance;
  const std::unique_ptr<lua_State, decltype(&lua_close)> lua(lua_newstate(&Allowance::allocate, &allowance),
                                                             lua_close);
  if (!lua) return fail(Errc::failed, "no memory to evaluate a formula");
  // No library is opened. Strings have no methods then: neither ("x"):rep(1e9) nor patterns exist.
  lua_sethook(lua.get(), stop, LUA_MASKCOUNT, steps_max);
  lua_pushcfunction(lua.get(), evaluate_protected);
  lua_pushlightuserdata(lua.get(), &call);
  const int status = lua_pcall(lua.get(), 1, 1, 0);
  if (status != LUA_OK) return fail(Errc::invalid, message(lua.get(), status, allowance));
  return read(lua.get());
}

}  // namespace

Expression::Expression(std::string text) : text_(std::move(text)) {}

Result<Expression> Expression::compile(std::string_view text) {
  if (text.size() > formula_bytes_max)
    return fail(Errc::invalid, fmt::format("the formula has {} bytes; at most {} are allowed", text.size(),
                                           formula_bytes_max));
  Expression expression{std::string(text)};
  return evaluate<Expression>({expression.text_, {}, true},
                              [&](lua_State*) -> Result<Expression> { return std::move(expression); });
}

Result<Micros> Expression::number(std::span<const Variable> variables) const {
  return evaluate<Micros>({text_, variables}, [](lua_State* lua) -> Result<Micros> {
    // Not lua_isnumber: that takes "10" for a number.
    if (lua_type(lua, -1) != LUA_TNUMBER)
      return fail(Errc::invalid,
                  fmt::format("gives a {}, not a number", lua_typename(lua, lua_type(lua, -1))));
    const double value = lua_tonumber(lua, -1);
    if (std::isnan(value))
      return fail(Errc::invalid, "the result is not a number: for example zero divided by zero");
    if (std::isinf(value))
      return fail(Errc::invalid, "the result is infinite: for example a division by zero");
    return to_micros(value);
  });
}

Result<bool> Expression::truth(std::span<const Variable> variables) const {
  return evaluate<bool>({text_, variables},
                        [](lua_State* lua) -> Result<bool> { return lua_toboolean(lua, -1) != 0; });
}

}  // namespace bidboard
