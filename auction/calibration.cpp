#include "auction/calibration.hpp"

#include <algorithm>

namespace bidboard {
namespace {

constexpr Micros least_ratio = one / 16;
constexpr Micros greatest_ratio = 16 * one;
constexpr Micros least_success = one / 20;
constexpr Micros steady = one / 5;  ///< the weight of the newest observation once there are many

/// The prior (promises are kept) counts as a quarter of an observation, so the first delivery decides most of
/// the ratio.
Micros newest_weight(std::uint32_t samples) {
  return std::max(4 * one / (4 * static_cast<Micros>(samples) + 1), steady);
}

Micros towards(Micros before, Micros observed, Micros weight) {
  return before + mul_micros(observed - before, weight);
}

/// Nothing promised and nothing delivered counts as a kept promise.
Micros ratio(Micros delivered, Micros promised) {
  if (promised <= 0) return delivered <= 0 ? one : greatest_ratio;
  return std::clamp(div_micros(std::max<Micros>(delivered, 0), promised), least_ratio, greatest_ratio);
}

/// A sixteenth of the correction on top, in either direction: of two agents that deliver the same, the one
/// whose bids need no correction wins, regardless of ids.
Micros correction(Micros learned_ratio) {
  const Micros distance = learned_ratio > one ? learned_ratio - one : one - learned_ratio;
  return learned_ratio + distance / 16;
}

}  // namespace

Calibration learned(Calibration before, const Delivery& delivery) {
  before.success = towards(before.success, delivery.success ? one : 0, steady);
  if (!delivery.success) return before;
  if (before.samples < UINT32_MAX) ++before.samples;
  const Micros weight = newest_weight(before.samples);
  before.seconds_ratio =
      towards(before.seconds_ratio, ratio(delivery.seconds, delivery.promised_seconds), weight);
  before.price_ratio = towards(before.price_ratio, ratio(delivery.price, delivery.promised_price), weight);
  return before;
}

BidVector corrected(const BidVector& bid, const Calibration& calibration) {
  return {
      std::min(mul_micros(bid.seconds, correction(calibration.seconds_ratio)), max_bid_seconds),
      std::min(mul_micros(bid.price, correction(calibration.price_ratio)), max_bid_price),
      std::max<Micros>(mul_micros(bid.confidence, std::max(calibration.success, least_success)), 1),
  };
}

}  // namespace bidboard
