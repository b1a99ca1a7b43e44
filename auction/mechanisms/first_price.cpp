#include <algorithm>
#include <tuple>
#include <utility>

#include "auction/market.hpp"
#include "auction/mechanisms/single_round.hpp"

namespace bidboard {

std::vector<RoundResult> single_round(const Problem& problem) {
  const Market market(problem);
  std::vector<std::size_t> taken(
      market.agents.size());  // by agent: how many of its slots are taken, the first ones first
  std::vector<RoundResult> results;
  for (std::size_t task = 0; task < market.tasks.size(); ++task) {
    std::vector<std::tuple<Micros, std::size_t, std::size_t>> running;  // cost, load, agent: the best first
    for (const Offer& offer : market.offers[task]) {
      const auto& slots = market.slots[offer.agent];
      if (taken[offer.agent] == slots.size()) continue;
      running.emplace_back(offer.cost + wait_score(slots[taken[offer.agent]], problem.weights),
                           market.busy[offer.agent] + taken[offer.agent], offer.agent);
    }
    if (running.empty()) continue;
    std::ranges::sort(running);
    const auto [cost, load, winner] = running.front();
    const Micros start_in = market.slots[winner][taken[winner]++];
    results.push_back({{market.tasks[task], market.agents[winner], start_in, cost, 0}, {}});
    if (running.size() > 1) results.back().runner_up = std::get<0>(running[1]);
  }
  return results;
}

Outcome first_price(const Problem& problem) {
  std::vector<Award> awards;
  for (const RoundResult& result : single_round(problem)) {
    awards.push_back(result.award);
    awards.back().price = result.award.cost;
  }
  return outcome_of(std::move(awards));
}

}  // namespace bidboard
