// From a bid vector to one number. Lower is better.
#pragma once

#include "auction/bid.hpp"

namespace bidboard {

struct Weights {
  Micros seconds = one;
  Micros price = one;
};

/// The cost of the work itself: seconds / confidence × weights.seconds + price × weights.price.
/// (Dividing by confidence charges the expected number of attempts.)
Micros work_score(const BidVector& bid, const Weights& weights);
/// What waiting for a busy agent costs: wait × weights.seconds.
Micros wait_score(Micros wait_seconds, const Weights& weights);

}  // namespace bidboard
