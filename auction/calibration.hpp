// Promised against delivered: corrects an agent's bids by its record, per agent and task kind.
#pragma once

#include "auction/bid.hpp"

namespace bidboard {

/// The outcome of one attempt.
struct Delivery {
  Micros promised_seconds = 0;
  Micros promised_price = 0;
  Micros seconds = 0;
  Micros price = 0;
  bool success = true;
};

/// The record after one more delivery. Exponential smoothing: the first delivery weighs 4/5, the n-th
/// 4/(4n+1), never less than 1/5; so an agent that underbids twofold stops winning within ten tasks. Ratios
/// stay in [1/16, 16]. `samples` counts successes; a failed attempt only moves `success`, by 1/5.
Calibration learned(Calibration before, const Delivery& delivery);
/// The bid as experience corrects it: seconds and price times their ratios, and a sixteenth of the correction
/// on top, so that of two equal agents the honest one wins; confidence times success (counted as 0.05 at
/// least). Never out of bounds.
BidVector corrected(const BidVector& bid, const Calibration& calibration);

}  // namespace bidboard
