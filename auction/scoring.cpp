#include "auction/scoring.hpp"

#include <algorithm>

#include "blackboard/checks/check.hpp"

namespace bidboard {

Micros work_score(const BidVector& bid, const Weights& weights) {
  BB_CHECK(bid.confidence > 0, "a bid with no confidence has no score: checked() refuses it");
  BB_CHECK(weights.seconds >= 0 && weights.price >= 0, "weights are never negative");
  const Micros expected = div_micros(bid.seconds, bid.confidence);
  const Micros time = std::min(mul_micros(expected, weights.seconds), max_score);
  const Micros money = std::min(mul_micros(bid.price, weights.price), max_score);
  return std::min(time + money, max_score);
}

Micros wait_score(Micros wait_seconds, const Weights& weights) {
  BB_CHECK(wait_seconds >= 0, "a wait is never negative");
  return std::min(mul_micros(wait_seconds, weights.seconds), max_score);
}

}  // namespace bidboard
