// From a bid vector to one number, the score. Lower is better.
#pragma once

#include "auction/bid.hpp"

namespace bidboard {

/// Weights are never negative.
struct Weights {
  Micros seconds = one;
  Micros price = one;
};

/// The maximum score, so that a thousand scores can be added. Greater values are clamped to it.
constexpr Micros max_score = 4'000'000'000'000'000;

/// The cost of the work itself: seconds / confidence × weights.seconds + price × weights.price.
/// (Dividing by confidence charges the expected number of attempts.)
Micros work_score(const BidVector& bid, const Weights& weights);
/// The cost of waiting for a busy agent: wait × weights.seconds. REQUIRES: wait_seconds ≥ 0.
Micros wait_score(Micros wait_seconds, const Weights& weights);

}  // namespace bidboard
