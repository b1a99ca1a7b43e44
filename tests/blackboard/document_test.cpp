#include "blackboard/text/document.hpp"

#include <limits>

#include "blackboard/numbers.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Value yaml(std::string_view text) {
  const auto value = parse_yaml(text);
  INFO(text << "\n" << (value ? "" : value.error().text));
  REQUIRE(value.has_value());
  return *value;
}
Value json(std::string_view text) {
  const auto value = parse_json(text);
  INFO(text << "\n" << (value ? "" : value.error().text));
  REQUIRE(value.has_value());
  return *value;
}
std::string yaml_error(std::string_view text) {
  const auto value = parse_yaml(text);
  REQUIRE_FALSE(value.has_value());
  CHECK(value.error().code == Errc::invalid);
  return value.error().text;
}
std::string json_error(std::string_view text) {
  const auto value = parse_json(text);
  REQUIRE_FALSE(value.has_value());
  CHECK(value.error().code == Errc::invalid);
  return value.error().text;
}
std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  while (times-- > 0) out += text;
  return out;
}

}  // namespace

TEST_CASE("plain scalars follow the YAML 1.2 core schema") {
  const auto [text, expected] = GENERATE(table<const char*, Value>({
      {"~", Value()},
      {"null", Value()},
      {"", Value()},
      {"true", Value(true)},
      {"FALSE", Value(false)},
      {"yes", Value("yes")},
      {"no", Value("no")},
      {"on", Value("on")},
      {"12", Value(12)},
      {"-7", Value(-7)},
      {"+7", Value(7)},
      {"0x1f", Value("0x1f")},
      {"0o17", Value("0o17")},
      {"017", Value(17)},
      {"1.5", Value(1.5)},
      {"+.5e1", Value(5.0)},
      {"2.", Value(2.0)},
      {"1e3", Value(1000.0)},
      {"1_000", Value("1_000")},
      {"60s", Value("60s")},
      {"1:30", Value("1:30")},
      {".", Value(".")},
      {"-", Value(Value::Array{Value()})},
      {"1e", Value("1e")},
      {"'12'", Value("12")},
      {"\"true\"", Value("true")},
      {"9223372036854775807", Value(INT64_MAX)},
      {"9223372036854775808", Value(9223372036854775808.0)},
      {"-9223372036854775808", Value(INT64_MIN)},
      {"!!str 12", Value("12")},
      {"!!float 12", Value(12.0)},
      {"! 12", Value("12")},
      {"\"a\\_b\\N\"", Value("a\u00a0b\xc2\x85")},
  }));
  INFO(text);
  CHECK(yaml(text) == expected);
}

TEST_CASE("a plain scalar is a number exactly where the shell's reader of numbers takes it") {
  for (const char* text : {"0x10", "0X1F", "0o17",  "0b11", "1_000", "1,000", "1e3",   "1E+3", "1e-3", "1.e2",
                           ".5",   "5.",   "+5",    "+.5",  "-.5",   "+-5",   "--5",   "007",  "1e",   "e5",
                           ".e5",  ".",    "1.2.3", "12a",  "0.5f",  "1d3",   "0x1p3", "1:30", "1e400"}) {
    INFO(text);
    const Result<Value> value = parse_yaml(text);
    CHECK((value && value->is_number()) == parse_number(text).has_value());
    if (value && value->is_number()) CHECK(value->number() == *parse_number(text));
  }
}

TEST_CASE("numbers above the signed range keep their digits") {
  CHECK(to_json(Value(UINT64_MAX)) == "18446744073709551615");
  CHECK(to_json(Value(std::uint64_t{INT64_MAX})) == "9223372036854775807");
  CHECK(Value(std::uint64_t{7}) == Value(7));
  CHECK(Value(UINT64_MAX).number() == 18446744073709551615.0);
}

TEST_CASE("JSON integers stay integers while they fit") {
  CHECK(json("9223372036854775807") == Value(INT64_MAX));
  CHECK(json("-9223372036854775808") == Value(INT64_MIN));
  CHECK(json("9223372036854775808") == Value(9223372036854775808.0));
  CHECK(json("1.0") == Value(1.0));
  CHECK(json("-0") == Value(0));
  CHECK(json(R"("😀")") == Value("😀"));
}

TEST_CASE("every value and key knows its line and column") {
  const Value document =
      yaml("name: audit\ntasks:\n  scan: {run: ls, needs: [ä, b]}\n  lint:\n    size: 2\n");
  const Value* scan = document.find("tasks")->find("scan");
  CHECK(document.find("name")->place == Place{1, 7});
  CHECK(yaml("a: 1\nb:\nc: 2\n").find("b")->place == Place{2, 1});
  CHECK(yaml("").place == Place{1, 1});
  CHECK(document.find("tasks")->object()[0].place == Place{3, 3});
  CHECK(scan->place == Place{3, 9});
  CHECK(scan->find("needs")->array()[1].place == Place{3, 31});
  CHECK(document.find("tasks")->find("lint")->find("size")->place == Place{5, 11});

  const Value same =
      json("{\"name\": \"ä, [\\\"{\",\n \"list\": [1, -2.5e1,true ,null, {}],\n\t\"n\":{\"a\" :12}}");
  CHECK(same.place == Place{1, 1});
  CHECK(same.object()[1].place == Place{2, 2});
  const Value::Array& list = same.find("list")->array();
  CHECK(same.find("list")->place == Place{2, 10});
  CHECK(list[0].place == Place{2, 11});
  CHECK(list[1].place == Place{2, 14});
  CHECK(list[2].place == Place{2, 21});
  CHECK(list[3].place == Place{2, 27});
  CHECK(list[4].place == Place{2, 33});
  CHECK(same.object()[2].place == Place{3, 2});
  CHECK(same.find("n")->find("a")->place == Place{3, 12});
}

TEST_CASE("a key that is defined twice is an error that names both places") {
  CHECK(yaml_error("a: 1\nb: 2\na: 3\n") ==
        "3:1: the key 'a' is defined twice; the first definition is at 1:1");
  CHECK(json_error("{\"a\": 1,\n \"a\": 2}") ==
        "2:2: the key 'a' is defined twice; the first definition is at 1:2");
  CHECK(yaml_error("1: x\n'1': y\n") == "2:1: the key '1' is defined twice; the first definition is at 1:1");
}

TEST_CASE("a merge key gives a map what it does not have itself, the first of several maps first") {
  const Value document = yaml(
      "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\n"
      "one: {<<: *a, y: 3}\nboth:\n  w: 0\n  <<: [*a, *b]\n  z: 4\nnested: {<<: {<<: *b, x: 5}}\n");
  CHECK(to_json(*document.find("one")) == R"({"x": 1, "y": 3})");
  CHECK(to_json(*document.find("both")) == R"({"w": 0, "x": 1, "y": 1, "z": 4})");
  CHECK(to_json(*document.find("nested")) == R"({"y": 2, "z": 2, "x": 5})");
  CHECK(document.find("one")->find("x")->place == Place{1, 11});
  CHECK(yaml_error("a: {<<: 1}\n") == "1:9: '<<' takes a map, or a list of maps");
  CHECK(yaml_error("a: {<<: [{x: 1}, 2]}\n") == "1:18: '<<' takes a map, or a list of maps");
  CHECK(yaml_error("b: &b {x: 1}\na: {<<: *b, <<: *b}\n").starts_with("2:13: the key '<<' is defined twice"));
}

TEST_CASE("aliases repeat a value, odd keys are refused") {
  const Value document = yaml("base: &b {speed: 2, skills: [cpp]}\nother: *b\n&k key: 1\nagain: *k\n");
  CHECK(*document.find("other") == *document.find("base"));
  CHECK(*document.find("again") == Value("key"));
  CHECK(yaml("'<<': 1").find("<<") != nullptr);
  CHECK(yaml_error("? [a]\n: b\n") == "1:3: a list or a map cannot be a key (or a bracket is not closed)");
  CHECK(yaml_error("a: &x 1\n*x : 2\n") == "2:1: an alias cannot be a key; write the key out");
  CHECK(yaml_error("a: &x [*x]\n") == "1:8: an alias inside the value that it names");
  CHECK(yaml_error("a: *nowhere\n").starts_with("1:4: "));
  CHECK(yaml_error(": 1\n") == "1:1: a key is missing");
}

TEST_CASE("what is not understood is refused with its place") {
  CHECK(yaml_error("a: 1\n---\nb: 2\n") == "2:1: a second document in one file; give each a file of its own");
  CHECK(yaml_error("a: .inf\n") == "1:4: '.inf' is not a number that can be used here");
  CHECK(yaml_error("a: .nan\n") == "1:4: '.nan' is not a number that can be used here");
  CHECK(yaml_error("a: 1e999\n") == "1:4: '1e999' is out of the range of numbers");
  CHECK(yaml_error("a: !thing x\n") == "1:4: 'x' cannot be read as '!thing'");
  CHECK(yaml_error("a: !!int x\n") == "1:4: 'x' cannot be read as 'tag:yaml.org,2002:int'");
  CHECK(yaml_error("a: [1, 2\n").starts_with("2:1: "));
  CHECK(json_error("{\"a\": 1,\n}").starts_with("2:1: syntax error"));
  CHECK(json_error("").starts_with("1:1: syntax error"));
  CHECK(json_error("[1] 2").starts_with("1:5: syntax error"));
  CHECK(json_error("[1e999]").find("number overflow") != std::string::npos);
  CHECK(json_error("nul").starts_with("1:3: syntax error"));
}

TEST_CASE("bytes that are no text are refused before a parser sees them") {
  for (const auto parse : {parse_yaml, parse_json}) {
    CHECK(parse("ab\n\xff").error().text == "2:1: not UTF-8");
    CHECK(parse("\xc0\xaf").error().text == "1:1: not UTF-8");
    CHECK(parse("\xed\xa0\x80").error().text == "1:1: not UTF-8");
    CHECK(parse(std::string_view("a\0b", 3)).error().text == "1:2: a control character (byte 0)");
    CHECK(parse("a: 1\x04\nb: 2").error().text == "1:5: a control character (byte 4)");
    CHECK(parse(std::string((64u << 20) + 1, ' ')).error().text ==
          "1:1: the text has 64 MB; at most 64 MB are read");
    CHECK(parse("\xef\xbb\xbf[1]") == Value(Value::Array{Value(1)}));
  }
}

TEST_CASE("nesting stops at 64 levels, in flow, block and through aliases") {
  CHECK(parse_json(repeat("[", 64) + repeat("]", 64)).has_value());
  CHECK(json_error(repeat("[", 65) + repeat("]", 65)) == "1:65: nested deeper than 64 levels");
  CHECK(json_error(repeat("[", 1'000'000)) == "1:65: nested deeper than 64 levels");
  CHECK(yaml_error(repeat("- ", 1'000)) == "1:129: nested deeper than 64 levels");
  CHECK(yaml_error("x: " + repeat("[", 500) + repeat("]", 500)) == "1:67: nested deeper than 64 levels");
  CHECK(yaml_error("x: " + repeat("[", 500)).find("a bracket is not closed") != std::string::npos);
  const std::string deep = "a: &a " + repeat("[", 40) + repeat("]", 40) + "\nb: ";
  CHECK(parse_yaml(deep + repeat("[", 23) + "*a" + repeat("]", 23)).has_value());
  CHECK(yaml_error(deep + repeat("[", 24) + "*a" + repeat("]", 24)) == "2:28: nested deeper than 64 levels");
}

TEST_CASE("hostile input costs bounded memory") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb +=
        "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + repeat(last + ", ", 9) + last + "]\n";
  }
  CHECK(yaml_error(bomb).find("more than 4000000 values") != std::string::npos);
  CHECK(yaml_error("x: " + repeat("[", 3'000'000)).find("more than 1 MB in one text") != std::string::npos);
  CHECK(yaml_error("x: '" + repeat("a", 3'000'000)).find("more than 1 MB in one text") != std::string::npos);
  CHECK(json_error("[" + repeat("1,", 4'100'000)).find("more than 4000000 values") != std::string::npos);
}

TEST_CASE("JSON of any size may stand where YAML is read") {
  std::string large = "{\"list\": [";
  for (int i = 0; i < 400'000; ++i) large += std::to_string(i) + ", ";
  large += "0]}";
  REQUIRE(large.size() > (2u << 20));
  CHECK(yaml(large).find("list")->array().size() == 400'001);
  CHECK(yaml("{a: 1, b: [c]}").find("b")->array()[0] == Value("c"));
}

TEST_CASE("JSON out reads back as the same value") {
  const char* text =
      R"({"i": -9223372036854775808, "d": [0.1, 1.0, -0.0, 1e-300, 100000.0, 1e+22, 2.5e-07], "s": "\"\\\n\u0001é", )"
      R"("e": [{}, [], ""], "b": [true, false, null]})";
  const Value value = json(text);
  CHECK(to_json(value) ==
        R"({"i": -9223372036854775808, "d": [0.1, 1.0, -0.0, 1e-300, 100000.0, 1e+22, 2.5e-07], )"
        R"("s": "\"\\\n\u0001é", "e": [{}, [], ""], "b": [true, false, null]})");
  CHECK(json(to_json(value, 2)) == value);
  CHECK(to_json(json(R"({"a": [1, {"b": 2}]})"), 2) ==
        "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ]\n}");
  CHECK(to_json(Value("a\xff\xc3(z")) == "\"a\xef\xbf\xbd\xef\xbf\xbd(z\"");
  CHECK(to_json(Value(std::numeric_limits<double>::infinity())) == "null");
}

TEST_CASE("members are found, set and pushed") {
  Value value;
  value.set("a", 1);
  value.set("b", "x");
  value.set("a", 2);
  value.set("list", Value()).push(7);
  CHECK(to_json(value) == R"({"a": 2, "b": "x", "list": [7]})");
  CHECK(value.find("c") == nullptr);
  CHECK(Value(3).find("a") == nullptr);
}

TEST_CASE("the nearest candidate is at most a third of the word away") {
  const std::vector<std::string> keys{"needs", "name", "skills", "stall_after", "size", "needy"};
  CHECK(nearest("neds", keys) == "needs");
  CHECK(nearest("nedes", keys) == "needs");
  CHECK(nearest("NEEDS", keys) == "needs");
  CHECK(nearest("needz", keys) == "needs");  // "needy" is as near: the alphabet decides
  CHECK(nearest("sklils", keys) == "skills");
  CHECK(nearest("stallafter", keys) == "stall_after");
  CHECK(nearest("xyz", keys).empty());
  CHECK(nearest("", keys).empty());
  CHECK(nearest("s", keys).empty());
}
