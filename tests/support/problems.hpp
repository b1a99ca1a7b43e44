// Small auctions for tests: random problems, shuffled twins, and checks any outcome must pass.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auction/clearing.hpp"
#include "blackboard/random.hpp"

namespace bidboard::testing {

template <class T>
void shuffle(std::vector<T>& items, Random& random) {
  for (std::size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[random.below(i)]);
}

struct ProblemShape {
  std::uint64_t tasks_max = 4;
  std::uint64_t agents_max = 3;
  std::uint64_t capacity_max = 2;
  Micros number_max = 6;  ///< small numbers make ties
  std::int64_t bid_millionths = 750'000;
  bool queueing = true;
  bool negative_costs = true;
  std::uint64_t bundles_max = 0;
};
Problem random_problem(Random& random, const ProblemShape& shape);
/// The same problem with agents and bids in another order; the order of tasks matters and is kept.
Problem retold(Problem problem, Random& random);
const ScoredBid* bid_of(const Problem& problem, TaskId task, AgentId agent);

/// What is wrong with the outcome itself (an award without a bid, a slot used twice, costs that do not add
/// up), or empty.
std::string flaw_of(const Problem& problem, const Outcome& outcome);
/// What the certificate fails to prove, or empty.
std::string flaw_of_certificate(const Problem& problem, const Outcome& outcome);

struct Best {
  std::size_t assigned = 0;
  Micros cost = 0;
};
/// The most tasks, then the least cost, found by trying every task next in every slot.
Best brute_force(const Problem& problem);

}  // namespace bidboard::testing
