// The common input of all mechanisms: a checked Problem in canonical order, with numbers for ids. Agents are
// numbered by id, so comparing numbers compares ids, and only the order of the tasks in the input matters.
#pragma once

#include <vector>

#include "auction/clearing.hpp"

namespace bidboard {

__extension__ using Wide = __int128;

struct Offer {
  std::size_t agent = 0;
  Micros seconds = 0;
  Micros cost = 0;
};

/// A bundle bid: all of its tasks in one slot, one after the other.
struct Bundle {
  std::size_t agent = 0;
  Micros seconds = 0;
  Micros cost = 0;
  std::vector<std::size_t> tasks = {};  ///< as admitted
};

struct Market {
  explicit Market(
      const Problem& problem);  ///< BB_CHECK fails if the problem breaks its REQUIRES (clearing.hpp)

  std::vector<TaskId> tasks;               ///< in Problem order
  std::vector<AgentId> agents;             ///< by id
  std::vector<std::vector<Micros>> slots;  ///< by agent: slot_free_in
  std::vector<std::size_t> busy;           ///< by agent: how many of its slots are taken
  std::vector<std::vector<Offer>> offers;  ///< by task: the bids for it, by agent
  std::vector<Bundle> bundles;             ///< by agent and ids of their tasks

 private:
  void add_bundles(const Problem& problem);
};

/// One slot's queue while tasks are added to it one after the other.
struct SlotQueue {
  Micros free_in = 0;  ///< when the next one could start
  Micros wait = 0;     ///< what that wait costs

  SlotQueue(Micros slot_free_in, const Weights& weights)
      : free_in(slot_free_in), wait(wait_score(slot_free_in, weights)) {}
  void push(Micros seconds, const Weights& weights);
};

/// Clamped to the range of total_cost.
Micros clamp_micros(Wide value);
/// Sums up the awards.
Outcome outcome_of(std::vector<Award> awards);

}  // namespace bidboard
