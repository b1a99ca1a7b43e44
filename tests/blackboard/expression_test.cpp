#include "blackboard/text/expression.hpp"

#include <vector>

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const std::vector<Variable> fields{
    {"size", 12 * one}, {"speed", 2 * one}, {"urgent", true}, {"kind", "build"}};

Result<Micros> number(std::string_view text) {
  auto expression = Expression::compile(text);
  if (!expression) return fail(expression.error());
  return expression->number(fields);
}
std::string refusal(std::string_view text) {
  const auto result = number(text);
  if (result) return "(gave " + format_micros(*result) + ")";
  CHECK(result.error().code == Errc::invalid);
  return result.error().text;
}
bool mentions(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a formula computes over its variables") {
  CHECK(number("size / speed + 0.5") == 6'500'000);
  CHECK(number("math.max(1, size, 3) - math.min(2, 1)") == 11 * one);
  CHECK(number("math.floor(2.7) + math.ceil(2.1) + math.abs(-1) + math.sqrt(9)") == 9 * one);
  CHECK(number("urgent and 1 or 2") == 1 * one);
  CHECK(number("kind == 'build' and 10 or 20") == 10 * one);
  CHECK(number("size -- a remark") == 12 * one);
  CHECK(number("1 / 3") == 333'333);
  CHECK(number("2 / 3") == 666'667);
  CHECK(number("-0.5") == -500'000);
  CHECK(number("7 // 2") == 3 * one);
}

TEST_CASE("truth is Lua's: only false and nil are false") {
  const auto truth = [](std::string_view text) { return Expression::compile(text)->truth(fields); };
  CHECK(truth("size > 10") == true);
  CHECK(truth("size > 100") == false);
  CHECK(truth("nil") == false);
  CHECK(truth("0") == true);
}

TEST_CASE("an unknown variable is named") {
  CHECK(mentions(refusal("size + sped"), "unknown variable 'sped'"));
  CHECK(mentions(refusal("math.sin(1)"), "unknown function 'math.sin'"));
}

TEST_CASE("what is no expression does not compile, and the message says where") {
  for (const char* text : {"", "1, 2", "1;", "1), (2", "x = 1", "while true do end", "1 --[[", "return 1",
                           "size +", "\x1bLua", "1) end", "local a"}) {
    INFO(text);
    const auto result = Expression::compile(text);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().code == Errc::invalid);
    CHECK(result.error().text.starts_with("line "));
  }
  CHECK(refusal("1 +\n\n  * 2").starts_with("line 3: "));
  CHECK(refusal("1 +\n  sise").starts_with("line 2: "));
  CHECK(refusal("sise").starts_with("line 1: "));
}

TEST_CASE("a formula must give a finite number") {
  CHECK(mentions(refusal("kind"), "gives a string, not a number"));
  CHECK(mentions(refusal("'10'"), "gives a string"));
  CHECK(mentions(refusal("nil"), "gives a nil"));
  CHECK(mentions(refusal("{}"), "gives a table"));
  CHECK(mentions(refusal("0/0"), "not a number"));
  CHECK(mentions(refusal("size/0"), "infinite"));
  CHECK(mentions(refusal("-math.huge"), "infinite"));
  CHECK(mentions(refusal("1 // 0"), "zero"));
  CHECK(number("1e300") == 4'000'000'000'000'000'000);
}

TEST_CASE("text is not a number in disguise") {
  CHECK(mentions(refusal("'10' + 1"), "arithmetic"));
  CHECK(mentions(refusal("math.max('10', {})"), "number expected"));
}

TEST_CASE("nothing dangerous or undetermined is within reach") {
  for (const char* name : {"pairs",  "ipairs",    "next",  "tostring",       "tonumber",     "string",
                           "table",  "os",        "io",    "require",        "load",         "loadstring",
                           "dofile", "pcall",     "error", "setmetatable",   "getmetatable", "rawget",
                           "rawset", "coroutine", "debug", "collectgarbage", "utf8",         "select",
                           "type",   "_G",        "print"}) {
    INFO(name);
    CHECK(mentions(refusal(name), "unknown variable"));
  }
  for (const char* name : {"random", "randomseed", "tointeger", "maxinteger"}) {
    INFO(name);
    CHECK(mentions(refusal(std::string("math.") + name), "unknown function"));
  }
}

TEST_CASE("strings have no methods, so neither repetition nor patterns exist") {
  for (const char* text : {"#(('x'):rep(1e9))", "('x').rep", "kind:len()",
                           "('a'):rep(30):find(('a?'):rep(30))", "kind.format"}) {
    INFO(text);
    CHECK(mentions(refusal(text), "attempt to index a string value"));
  }
}

TEST_CASE("a formula without end is stopped") {
  for (const char* text : {"(function() while true do end end)()", "(function() ::a:: goto a end)()",
                           "(function() for i = 1, math.huge do end return 1 end)()",
                           "(function() repeat local x = size until false end)()",
                           "(function() local function f() return f() end return f() end)()"}) {
    INFO(text);
    CHECK(mentions(refusal(text), "takes more than 100000 steps"));
  }
  CHECK(mentions(refusal("(function() local s = 0 for i = 1, 60000 do s = s + i end return s end)()"),
                 "steps"));
  CHECK(number("(function() local s = 0 for i = 1, 1000 do s = s + i end return s end)()") == 500'500 * one);
}

TEST_CASE("a formula that devours memory is stopped") {
  for (const char* text : {"(function() local t = {} for i = 1, 1e9 do t[i] = {} end end)()",
                           "(function() local function f() return 1 + f() end return f() end)()"}) {
    INFO(text);
    const std::string why = refusal(text);
    CHECK((mentions(why, "needs more than 1024 KB of memory") || mentions(why, "stack overflow")));
  }
  const std::string long_text(4 << 20, 'x');
  const std::vector<Variable> variables{{"title", long_text}};
  const auto result = Expression::compile("title == 'x' and 1 or 2")->number(variables);
  REQUIRE_FALSE(result.has_value());
  CHECK(mentions(result.error().text, "memory"));
}

TEST_CASE("a formula too long or nested too deeply is refused") {
  CHECK(mentions(refusal(std::string(1'000, '(') + "1" + std::string(1'000, ')')), "overflow"));
  CHECK(mentions(refusal("size" + std::string(20'000, ' ')), "bytes"));
  CHECK_FALSE(number(std::string(7'000, '-') + "1").has_value());
  std::string sum = "1";
  for (int i = 0; i < 2'000; ++i) sum += "+size";
  CHECK(number(sum) == 24'001 * one);
}

TEST_CASE("nothing is kept from one evaluation to the next") {
  CHECK(mentions(refusal("(function() seen = 1 return 1 end)()"), "cannot assign"));
  const auto overwrite = Expression::compile(
      "(function() local before = math.floor(1.5) math.floor = math.ceil size = 99 return before + size "
      "end)()");
  REQUIRE(overwrite.has_value());
  CHECK(overwrite->number(fields) == 100 * one);
  CHECK(overwrite->number(fields) == 100 * one);
}

TEST_CASE("an instruction of a formula takes no longer than another: it reads no long text") {
  const std::string digits(3'000, '1');
  const auto repeated = [](const std::string& value, const std::string& text) {
    return "(function() local x = '" + text + "' local best = 0 for i = 1, 9000 do best = " + value +
           " end return best end)()";
  };
  CHECK(mentions(refusal(repeated("math.max(x, best)", "12")), "number expected, got string"));
  CHECK(mentions(refusal(repeated("math.abs(x)", "12")), "number expected, got string"));
  for (const char* value : {"x & 1", "x == title and 1 or 2", "x .. i"})
    CHECK(mentions(refusal(repeated(value, digits)), "makes a text of more than 1024 bytes"));
  CHECK(mentions(refusal("(function() local s = kind while true do s = s .. s end end)()"),
                 "makes a text of more than 1024 bytes"));
  const std::string fits(1'000, '1');
  CHECK(number("'" + fits + "' == kind and 1 or 2") == 2 * one);
}

TEST_CASE("garbage counts as memory: a formula that makes little else is stopped early") {
  CHECK(mentions(
      refusal("(function() local n = 0 for i = 1, 20000 do local t = {} t[1] = i end return n end)()"),
      "needs more than 1024 KB of memory"));
}

TEST_CASE("whether memory suffices does not depend on earlier evaluations") {
  const std::string_view text =
      "(function() local t = {} for i = 1, rounds do t[i] = 'k' .. i end return #t + #title end)()";
  const auto evaluate = [](const Expression& expression, Micros rounds, std::size_t title) {
    const std::string letters(title, 'x');
    return expression.number(std::vector<Variable>{{"rounds", rounds * one}, {"title", letters}});
  };
  std::size_t fits = 0;
  for (std::size_t step = 1 << 20; step > 0; step /= 2)
    if (evaluate(*Expression::compile(text), 0, fits + step)) fits += step;
  CHECK(fits > 500'000);
  const auto used = Expression::compile(text);
  CHECK(evaluate(*used, 4'000, 0) == 4'000 * one);
  CHECK_FALSE(evaluate(*used, 40'000, 0).has_value());
  CHECK(evaluate(*used, 0, fits) == static_cast<Micros>(fits) * one);
  CHECK_FALSE(evaluate(*used, 0, fits + 1).has_value());
}

TEST_CASE("an expression can be moved and still evaluates") {
  auto first = Expression::compile("size * 2");
  Expression second = std::move(*first);
  *first = *Expression::compile("1");
  CHECK(second.number(fields) == 24 * one);
  CHECK(first->number({}) == one);
}
