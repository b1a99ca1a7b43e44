#include "blackboard/text/redaction.hpp"

#include "blackboard/text/utf8.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

std::string cleaned(const std::string& text, const std::string& secret) {
  return Redactor({{"KEY", secret}}).clean(text);
}

/// Fed in two pieces, cut at every place.
void check_in_pieces(const std::string& text, const std::string& secret, const std::string& expected) {
  const Redactor redactor({{"KEY", secret}});
  CHECK(redactor.clean(text) == expected);
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    INFO("cut at " << cut);
    RedactedStream stream(redactor);
    std::string shown = stream.feed(text.substr(0, cut), false);
    shown += stream.feed(text.substr(cut), true);
    CHECK(shown == expected);
  }
}

}  // namespace

TEST_CASE("a secret is hidden wherever it stands, also when it comes in pieces") {
  check_in_pieces("a s3cr3t-value, s3cr3t-valu and s3cr3t-value", "s3cr3t-value",
                  "a [secret KEY], s3cr3t-valu and [secret KEY]");
  check_in_pieces("s3cr3t-s3cr3t-value", "s3cr3t-value", "s3cr3t-[secret KEY]");
}

TEST_CASE("a secret is hidden in every form that JSON strings have for it") {
  check_in_pieces(R"({"k":"ab\/cd\/ef\/gh"})", "ab/cd/ef/gh", R"({"k":"[secret KEY]"})");
  check_in_pieces(R"("\u0061b/cd\u002fef\u002Fgh")", "ab/cd/ef/gh", R"("[secret KEY]")");
  check_in_pieces(R"("Schl\u00fcssel \ud83d\ude00")", "Schlüssel 😀", R"("[secret KEY]")");
  check_in_pieces(R"(one\r\ntwo\tthree\"\\)", "one\r\ntwo\tthree\"\\", "[secret KEY]");
  // As it is, although a backslash could be an escape.
  check_in_pieces(R"(a\nb\u0061cd ef)", R"(a\nb\u0061cd)", "[secret KEY] ef");
}

TEST_CASE("what only begins like an escape is left alone") {
  for (const std::string text : {R"(ab\)", R"(ab\u00)", R"(ab\ud83dxx\n)", R"(ab\q \uzzzz \ud83d\u0041)"})
    check_in_pieces(text, "ab/cd/ef/gh", text);
}

TEST_CASE("of several secrets the longest is hidden, and each line of one that has several") {
  const Redactor two({{"SHORT", "12345678"}, {"LONG", "1234567890"}});
  CHECK(two.clean("1234567890 12345678-") == "[secret LONG] [secret SHORT]-");
  CHECK(cleaned("> first line\n> second line", "first line\nsecond line\n") ==
        "> [secret KEY]\n> [secret KEY]");
  CHECK(cleaned("seven77", "seven77") == "seven77");
}

TEST_CASE("characters become UTF-8") {
  CHECK(utf8_of('a') == "a");
  CHECK(utf8_of(0xfc) == "ü");
  CHECK(utf8_of(0x20ac) == "€");
  CHECK(utf8_of(0x1f600) == "😀");
}
