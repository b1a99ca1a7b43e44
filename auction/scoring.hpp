// From a bid vector to one number. Lower is better.
#pragma once

#include "auction/bid.hpp"

namespace bidboard {

/// Weights are never negative.
struct Weights {
  Micros seconds = one;
  Micros price = one;
};

/// No score exceeds this, so that a thousand of them can be added. What would be more is this.
constexpr Micros max_score = 4'000'000'000'000'000;

/// The cost of the work itself: seconds / confidence × weights.seconds + price × weights.price.
/// (Dividing by confidence charges the expected number of attempts.)
Micros work_score(const BidVector& bid, const Weights& weights);
/// What waiting for a busy agent costs: wait × weights.seconds. REQUIRES: wait_seconds ≥ 0.
Micros wait_score(Micros wait_seconds, const Weights& weights);

}  // namespace bidboard
