#include "experiments/statistics.hpp"

#include <cmath>

#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

std::vector<double> times(const std::vector<double>& values, double factor) {
  std::vector<double> out;
  for (const double value : values) out.push_back(value * factor);
  return out;
}

std::vector<double> noisy(std::uint64_t seed, std::size_t count, double level) {
  Random random(seed);
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(level * (1 + static_cast<double>(random.between(-100'000, 100'000)) / 1e6));
  return out;
}

}  // namespace

TEST_CASE("identical data differ by nothing") {
  const std::vector<double> values = noisy(1, 20, 100);
  const Comparison same = compare(values, values);
  CHECK(same.ratio == 1);
  CHECK(same.ci.low == 1);
  CHECK(same.ci.high == 1);
  CHECK(same.p == 1);
}

TEST_CASE("a difference that every pair shows is found, whatever the pairs differ by among themselves") {
  const std::vector<double> before{1, 10, 100, 1'000, 3, 30, 300, 3'000, 7, 70};
  const Comparison tenth = compare(times(before, 0.9), before);
  CHECK(tenth.ratio == Approx(0.9));
  CHECK(tenth.ci.low == Approx(0.9));
  CHECK(tenth.ci.high == Approx(0.9));
  CHECK(tenth.p == Approx(2.0 / 1024));  // of the 2^10 ways to flip signs, two are as extreme
}

TEST_CASE("the exact p counts sign flips") {
  // Logarithms 1, 1, -1: the sum 1 is reached or passed by all eight ways of signing them.
  const std::vector<double> a{std::exp(1.0), std::exp(1.0), 1};
  const std::vector<double> b{1, 1, std::exp(1.0)};
  CHECK(compare(a, b).p == Approx(1));
  // 3, 1: only 3+1 and its mirror image are as extreme as 4.
  CHECK(compare(std::vector{std::exp(3.0), std::exp(1.0)}, std::vector{1.0, 1.0}).p == Approx(0.5));
}

TEST_CASE(
    "noise is rarely taken for a difference, and the interval covers the truth about as often as it says") {
  int found = 0;
  int covered = 0;
  constexpr int rounds = 400;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const Comparison c = compare(noisy(2 * round + 1, 16, 50), noisy(2 * round + 2, 16, 50));
    found += c.p <= noise_level;
    covered += c.ci.low <= 1 && 1 <= c.ci.high;
  }
  CHECK(found < rounds / 10);
  CHECK(found > 0);
  CHECK(covered > rounds * 85 / 100);
  CHECK(covered < rounds);
}

TEST_CASE("many pairs are flipped at random, with the same verdict each time") {
  const std::vector<double> a = noisy(5, 60, 100);
  const std::vector<double> b = noisy(6, 60, 104);
  const Comparison c = compare(a, b);
  CHECK(c.p < 0.01);
  CHECK(c.p == compare(a, b).p);
  CHECK(c.ci.low < c.ratio);
  CHECK(c.ratio < c.ci.high);
}

TEST_CASE("Holm's correction multiplies the smallest by all, and never lets a larger one fall below it") {
  CHECK(holm(std::vector{0.01, 0.04, 0.03}) == std::vector{0.03, 0.06, 0.06});
  CHECK(holm(std::vector{0.5, 0.9}) == std::vector{1.0, 1.0});
  CHECK(holm(std::vector<double>{}).empty());
}

TEST_CASE("a power law is fitted") {
  const std::vector<double> x{2, 4, 8, 64};
  const PowerLaw law = fit_power_law(x, std::vector{3 * 4.0, 3 * 16.0, 3 * 64.0, 3 * 4096.0});
  CHECK(law.factor == Approx(3));
  CHECK(law.exponent == Approx(2));
}
