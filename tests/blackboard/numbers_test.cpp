#include "blackboard/numbers.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

TEST_CASE("a number is decimal and finite, whatever the C library would read") {
  CHECK(parse_number("12") == 12.0);
  CHECK(parse_number("-0.5") == -0.5);
  CHECK(parse_number("+1e3") == 1000.0);
  CHECK(parse_number(".5") == 0.5);
  for (const char* bad : {"", "nan", "-nan", "inf", "-inf", "infinity", "0x10", "1 ", " 1", "1e999", "--1",
                          "+-1", "1,5", "1_000", "five"})
    CHECK_FALSE(parse_number(bad).has_value());
}

TEST_CASE("a range says in words what it takes") {
  CHECK(read_number("0.5", ranges::progress) == 500'000);
  CHECK(read_number("1.0000001", ranges::progress).error().text ==
        "must be a number from 0 to 1, not '1.0000001'");
  CHECK(read_number("0", ranges::speed).error().text == "must be a number above 0 to 1000000, not '0'");
  CHECK(read_number("0.0000001", ranges::speed).error().text.starts_with("must be a number above 0"));
  CHECK(read_whole("-1000000", ranges::priority) == -1'000'000);
  for (const char* bad : {"1.5", "0x10", "-9223372036854775808", "99999999999999999999", "", "nan", "+-1"})
    CHECK_FALSE(read_whole(bad, ranges::priority).has_value());
  CHECK(check_number("the price", -one, ranges::price).error().text ==
        "the price must be a number from 0 to 1000000000, not -1");
  CHECK(clamped(ranges::price, -one) == 0);
  CHECK(clamped(ranges::price, INT64_MAX) == to_micros(1e9));
}
