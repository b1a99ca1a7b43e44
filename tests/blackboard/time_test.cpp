#include "blackboard/time.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

TEST_CASE("durations are read with their unit and refused without sense") {
  CHECK(parse_duration("60s") == seconds(60));
  CHECK(parse_duration("250ms") == milliseconds(250));
  CHECK(parse_duration("1.5m") == seconds(90));
  CHECK(parse_duration("7") == seconds(7));
  for (const char* bad : {"", "-1s", "1 s", "5 parsecs", "nan", "1e300s"})
    CHECK_FALSE(parse_duration(bad).has_value());
}

TEST_CASE("micro-units round to the nearest and never overflow") {
  CHECK(to_micros(0.1) == 100'000);
  CHECK(to_micros(1e300) == 4'000'000'000'000'000'000);
  CHECK(mul_micros(3'000'000'000'000'000'000, 3'000'000'000'000) == 4'000'000'000'000'000'000);
  CHECK(div_micros(one, 3 * one) == 333'333);
  CHECK(mul_micros(-7 * one, one / 2) == -3'500'000);
  CHECK(div_micros(9'000'000'000'000, 1) == div_micros(9'000'000'000'000'000, 1));  // both at the limit
}

TEST_CASE("micro-units print as the shortest decimal") {
  CHECK(format_micros(1'500'000) == "1.5");
  CHECK(format_micros(-20) == "-0.00002");
  CHECK(format_micros(3 * one) == "3");
}

TEST_CASE("whatever duration is printed can be typed, 30m00s for one") {
  CHECK(parse_duration("30m00s") == minutes(30));
  CHECK(parse_duration("2h03m") == minutes(123));
  CHECK(parse_duration("1d2h3m4s5ms6us") == Duration{93'784'005'006});
  CHECK(format_duration({}) == "0s");
  std::int64_t printed = 0;
  for (std::int64_t us = 0; us < 40'000'000'000'000; us = us * 3 + 7) {
    const auto read = parse_duration(format_duration({us}));
    INFO(format_duration({us}));
    REQUIRE(read.has_value());
    CHECK(format_duration(*read) == format_duration({us}));
    ++printed;
  }
  CHECK(printed > 20);
  for (const char* bad : {"3m2h", "1m1m", "1h5", "h", "1hm", "5m-3s", "1m nan"})
    CHECK_FALSE(parse_duration(bad).has_value());
}
