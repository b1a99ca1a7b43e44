#include "blackboard/text/readable.hpp"

#include "blackboard/text/document.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

TEST_CASE("what acts on a terminal is shown escaped; letters of all scripts and emoji are not") {
  CHECK(readable("a\tb\nc\r") == "a\\tb\\nc\\r");
  CHECK(readable(std::string_view("\x1b\0\x7f", 3)) == "\\x1b\\x00\\x7f");
  CHECK(readable("\u009b\u202e\u2066\u200b\ufeff\u2028\U000e0041") ==
        "\\u009b\\u202e\\u2066\\u200b\\ufeff\\u2028\\U000e0041");
  CHECK(readable("\xff\xc3") == "\\xff\\xc3");
  const std::string family = "Zoë Ωmega 漢字 👩\u200d👩\u200d👧 می\u200cخواهم";
  CHECK(readable(family) == family);
  CHECK(readable_lines("one\r\n\ttwo\rthree\n") == "one\n\ttwo\\rthree\n");
}

TEST_CASE("JSON escapes what acts on a terminal by its own escapes and reads back the same") {
  const std::string text = "\x1b[31m \u009b \u202e \U000e0041 ë";
  const std::string json = to_json(Value(text));
  CHECK(json == R"("\u001b[31m \u009b \u202e \udb40\udc41 ë")");
  CHECK(parse_json(json)->string() == text);
}
