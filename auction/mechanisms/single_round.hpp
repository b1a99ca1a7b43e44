// The round that first_price and vickrey share: the winners, and the cost of the best of the other bids.
#pragma once

#include <optional>
#include <vector>

#include "auction/clearing.hpp"

namespace bidboard {

struct RoundResult {
  Award award;                      ///< price: not yet set
  std::optional<Micros> runner_up;  ///< the second-lowest cost among the bids that could still win
};

/// Each task in order; every slot takes one task at most.
std::vector<RoundResult> single_round(const Problem& problem);

}  // namespace bidboard
