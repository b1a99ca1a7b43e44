#include "auction/mechanisms/packages.hpp"

#include <algorithm>
#include <utility>

namespace bidboard::packages {

Choices::Choices(const Problem& p, const Market& m) : problem(p), market(m) {
  const auto add = [&](std::size_t agent, std::vector<std::size_t> tasks, Micros seconds, Micros cost) {
    Package package{agent, std::move(tasks), seconds, cost, 0, cost};
    if (problem.queueing) package.delay = wait_score(seconds, problem.weights);
    const std::size_t size = package.tasks.size();
    for (std::size_t i = 1; i < size; ++i)
      package.own += Wide{package.delay} * static_cast<Wide>(i) / static_cast<Wide>(size);
    packages.push_back(std::move(package));
  };
  for (std::size_t task = 0; task < market.tasks.size(); ++task)
    for (const Offer& offer : market.offers[task]) add(offer.agent, {task}, offer.seconds, offer.cost);
  bundles_from = packages.size();
  for (const Bundle& bundle : market.bundles) add(bundle.agent, bundle.tasks, bundle.seconds, bundle.cost);
  for (std::size_t agent = 0; agent < market.agents.size(); ++agent) {
    const auto& free_in = market.slots[agent];
    // Each takes one package: if there are more slots than tasks, the last ones stay empty.
    const std::size_t useful =
        problem.queueing ? free_in.size() : std::min(free_in.size(), market.tasks.size());
    for (std::size_t number = 0; number < useful; ++number)
      slots.push_back({agent, number, wait_score(free_in[number], problem.weights)});
  }
}

Wide Choices::cost(std::size_t slot, const std::vector<std::size_t>& run) const {
  Wide sum = 0;
  Wide wait = slots[slot].wait;
  for (const std::size_t index : run) {
    const Package& package = packages[index];
    sum += package.own + wait * static_cast<Wide>(package.tasks.size());
    wait += package.delay;
  }
  return sum;
}

}  // namespace bidboard::packages
