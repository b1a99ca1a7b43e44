#include <utility>

#include "auction/market.hpp"
#include "auction/mechanisms/single_round.hpp"

namespace bidboard {

Outcome vickrey(const Problem& problem) {
  std::vector<Award> awards;
  for (const RoundResult& result : single_round(problem)) {
    awards.push_back(result.award);
    awards.back().price = result.runner_up.value_or(result.award.cost);
  }
  return outcome_of(std::move(awards));
}

}  // namespace bidboard
