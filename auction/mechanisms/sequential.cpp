#include <algorithm>
#include <optional>
#include <utility>

#include "auction/market.hpp"

namespace bidboard {
namespace {

/// The slots of one agent as they fill up.
struct Queues {
  std::vector<SlotQueue> slots;
  bool one_task_each = false;
  std::size_t load = 0;  ///< tasks it has and was given

  /// The slot that could start a further task first; ties by position.
  SlotQueue* next() {
    const auto first = std::ranges::min_element(slots, {}, &SlotQueue::free_in);
    return first == slots.end() ? nullptr : &*first;
  }
  void take(SlotQueue* slot, Micros seconds, const Weights& weights) {
    ++load;
    if (one_task_each)
      slots.erase(slots.begin() + (slot - slots.data()));
    else
      slot->push(seconds, weights);
  }
};

}  // namespace

Outcome sequential(const Problem& problem) {
  const Market market(problem);
  std::vector<Queues> queues(market.agents.size());
  for (std::size_t agent = 0; agent < queues.size(); ++agent) {
    queues[agent].one_task_each = !problem.queueing;
    queues[agent].load = market.busy[agent];
    for (const Micros free_in : market.slots[agent])
      queues[agent].slots.emplace_back(free_in, problem.weights);
  }
  std::vector<Award> awards;
  for (std::size_t task = 0; task < market.tasks.size(); ++task) {
    std::optional<Award> best;
    const Offer* chosen = nullptr;
    for (const Offer& offer : market.offers[task]) {
      const SlotQueue* slot = queues[offer.agent].next();
      if (!slot) continue;
      const Micros cost = clamp_micros(Wide{offer.cost} + slot->wait);
      const std::size_t load = queues[offer.agent].load;
      if (best && (best->cost < cost || (best->cost == cost && queues[chosen->agent].load <= load))) continue;
      best = Award{market.tasks[task], market.agents[offer.agent], slot->free_in, cost, cost};
      chosen = &offer;
    }
    if (!best) continue;
    Queues& winner = queues[chosen->agent];
    winner.take(winner.next(), chosen->seconds, problem.weights);
    awards.push_back(*best);
  }
  return outcome_of(std::move(awards));
}

}  // namespace bidboard
