#include "auction/calibration.hpp"

#include <array>

#include "auction/clearing.hpp"
#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

constexpr Weights weights{one, one};

/// Two agents of equal speed, a1 and a2; one of them promises its true duration times `share`. Every task
/// goes to the lower corrected score. Returns the number of the last task, of 200, that it won.
int last_win_of_the_liar(AgentId liar, Micros share, Micros price_share, bool calibrated = true) {
  constexpr int tasks = 200;
  std::array<Calibration, 2> records;
  Random random(1);
  int last_win = 0;
  for (int i = 1; i <= tasks; ++i) {
    const Micros size = random.between(one, 100 * one);
    const Micros price = size / 10;
    std::array<BidVector, 2> said;
    Problem problem;
    problem.tasks = {{TaskId{1}}};
    for (const std::uint64_t n : {0, 1}) {
      const bool lies = AgentId{n + 1} == liar;
      said[n] = {lies ? mul_micros(size, share) : size, lies ? mul_micros(price, price_share) : price, one};
      problem.agents.push_back({AgentId{n + 1}, {0}});
      problem.bids.push_back(
          {TaskId{1}, AgentId{n + 1}, size, work_score(corrected(said[n], records[n]), weights)});
    }
    const AgentId winner = first_price(problem).awards.at(0).agent;
    if (winner == liar) last_win = i;
    const std::size_t w = winner.value - 1;
    if (calibrated) records[w] = learned(records[w], {said[w].seconds, said[w].price, size, price, true});
  }
  return last_win;
}

}  // namespace

TEST_CASE("an agent that underbids twofold stops winning within ten tasks, whatever its id") {
  for (const AgentId liar : {AgentId{1}, AgentId{2}}) {
    CHECK(last_win_of_the_liar(liar, one / 2, one / 2) >= 1);
    CHECK(last_win_of_the_liar(liar, one / 2, one / 2) <= 10);
    CHECK(last_win_of_the_liar(liar, one / 2, one) <= 10);
    CHECK(last_win_of_the_liar(liar, one / 8, one / 8) <= 10);
    CHECK(last_win_of_the_liar(liar, one / 2, one / 2, false) == 200);
  }
}

TEST_CASE("promises that are kept leave a record without effect") {
  Calibration record;
  for (int i = 0; i < 20; ++i) record = learned(record, {5 * one, 2 * one, 5 * one, 2 * one, true});
  CHECK(record.samples == 20);
  CHECK(record.seconds_ratio == one);
  CHECK(record.price_ratio == one);
  CHECK(record.success == one);
  CHECK(corrected({7 * one, 3 * one, one / 2}, record) == BidVector{7 * one, 3 * one, one / 2});
}

TEST_CASE("a failed attempt moves only the success, and lowers the confidence") {
  Calibration record = learned({}, {one, one, 9 * one, 9 * one, false});
  CHECK(record == Calibration{{}, {}, 0, one, one, 800'000});
  CHECK(corrected({one, one, one}, record) == BidVector{one, one, 800'000});
  for (int i = 0; i < 100; ++i) record = learned(record, {one, one, one, one, false});
  CHECK(corrected({one, one, one}, record).confidence == 50'000);
  CHECK(corrected({one, one, 1}, record).confidence == 1);
}

TEST_CASE("the success rate recovers") {
  Calibration record = learned({}, {one, one, one, one, false});
  for (int i = 0; i < 10; ++i) record = learned(record, {one, one, one, one, true});
  CHECK(record.success > 970'000);
}

TEST_CASE("an agent that delivers faster than it promises is corrected almost to the delivered time") {
  Calibration record;
  for (int i = 0; i < 50; ++i) record = learned(record, {2 * one, 0, one, 0, true});
  const Micros believed = corrected({2 * one, 0, one}, record).seconds;
  CHECK(believed > one);
  CHECK(believed < 1'100'000);
}

TEST_CASE("ratios stay in bounds for any outcome") {
  const Calibration slow = learned({}, {1, 0, max_bid_seconds, max_bid_price, true});
  CHECK(slow.seconds_ratio <= 16 * one);
  CHECK(slow.price_ratio <= 16 * one);
  CHECK(slow.price_ratio > 12 * one);
  const Calibration fast = learned({}, {max_bid_seconds, max_bid_price, 0, -5, true});
  CHECK(fast.seconds_ratio >= one / 16);
  CHECK(fast.price_ratio >= one / 16);
  CHECK(learned({}, {0, 0, 0, 0, true}).seconds_ratio == one);
  const BidVector most = corrected({max_bid_seconds, max_bid_price, one}, slow);
  CHECK(most.seconds == max_bid_seconds);
  CHECK(most.price == max_bid_price);
}
