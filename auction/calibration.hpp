// Promised against delivered: corrects what an agent says by what it did, per agent and task kind.
#pragma once

#include "auction/bid.hpp"

namespace bidboard {

/// What came of one attempt.
struct Delivery {
  Micros promised_seconds = 0;
  Micros promised_price = 0;
  Micros seconds = 0;
  Micros price = 0;
  bool success = true;
};

/// The record after one more delivery: exponential smoothing, faster while samples are few, so that an agent that
/// underbids twofold stops winning within ten tasks. A failed attempt only moves `success`. Ratios stay in [1/16, 16].
Calibration learned(Calibration before, const Delivery& delivery);
/// The bid as experience corrects it: seconds and price times their ratios, confidence times success (at least 0.05).
BidVector corrected(const BidVector& bid, const Calibration& calibration);

}  // namespace bidboard
