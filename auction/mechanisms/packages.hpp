// Winner determination with bundles. A package is the content of one bid: a single task or several together.
// Each slot runs its packages one after the other (without queueing it takes one), and each task is in at
// most one package. That is a set packing problem, hard in general (Rothkopf, Pekeč and Harstad,
// "Computationally manageable combinational auctions", Management Science 44, 1998).
#pragma once

#include <optional>
#include <vector>

#include "auction/market.hpp"

namespace bidboard::packages {

struct Package {
  std::size_t agent = 0;
  std::vector<std::size_t>
      tasks;  ///< indices as in Market, in admission order, which is the order in which they run
  Micros seconds = 0;
  Micros cost = 0;
  Micros delay = 0;  ///< what each task behind it pays for waiting
  Wide own = 0;      ///< its cost, and what its tasks wait for each other
};

struct Slot {
  std::size_t agent = 0;
  std::size_t number = 0;  ///< of the agent's slots
  Micros wait = 0;         ///< what each task in it pays
};

/// By slot: its packages in execution order, as indices.
using Plan = std::vector<std::vector<std::size_t>>;

struct Choices {
  Choices(const Problem& problem, const Market& market);

  const Problem& problem;
  const Market& market;
  std::vector<Package> packages;  ///< single tasks by task and agent, then bundles
  std::size_t bundles_from = 0;
  std::vector<Slot>
      slots;  ///< by agent and number; without queueing, at most as many per agent as there are tasks

  /// REQUIRES: the slot may run these.
  Wide cost(std::size_t slot, const std::vector<std::size_t>& run) const;
};

/// The most tasks at the minimum cost, by dynamic programming over the sets of tasks. Nothing if that would
/// take more than 4 million steps: with queueing, 3^tasks per slot and 2^tasks per package; without, for each
/// slot and each package of its agent 2^(tasks - tasks in the package).
std::optional<Plan> best_plan(const Choices& choices);

/// Starts from the best plan without bundles, then adds bundles and moves tasks for as long as that lowers
/// the cost.
Plan good_plan(const Choices& choices);

}  // namespace bidboard::packages
