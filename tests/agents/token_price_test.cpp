#include "agents/token_price.hpp"

#include "tests/support/catch.hpp"

using namespace bidboard;

TEST_CASE("a price is the sum of its kinds of tokens, rounded up to a millionth") {
  const TokenPrice price{1'250'000, 125'000, 10'000'000};
  CHECK(price_of({}, price) == 0);
  CHECK(price_of({1'000'000, 0, 0}, price) == 1'250'000);
  CHECK(price_of({0, 1'000'000, 0}, price) == 125'000);
  CHECK(price_of({0, 0, 1'000'000}, price) == 10'000'000);
  CHECK(price_of({100, 50, 7}, price) == 202);  // 125 + 6.25 + 70
  CHECK(price_of({0, 1, 0}, price) == 1);       // 0.125
  CHECK(price_of({0, 8, 0}, price) == 1);       // 1
  CHECK(price_of({0, 9, 0}, price) == 2);       // 1.125
}

TEST_CASE("a price is exact where a double is not, and saturates") {
  CHECK(price_of({9'007'199'254'740'993, 0, 0}, {1'000'000, 0, 0}) == 9'007'199'254'740'993);
  const std::int64_t most = INT64_MAX;
  CHECK(price_of({most, most, most}, {most, most, most}) == most);
  CHECK(total_of({most, 1, 1}) == most);
  CHECK(TokenUsage{most, 1, 2} + TokenUsage{1, 2, 3} == TokenUsage{most, 3, 5});
}
