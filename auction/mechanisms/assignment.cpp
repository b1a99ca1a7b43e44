#include "auction/mechanisms/assignment.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace bidboard::assignment {

Matrix::Matrix(const Problem& p, const Market& m) : problem(p), market(m), agents(m.agents.size()) {
  for (Index i = 0; i < market.tasks.size(); ++i) tasks.push_back(i);
  std::ranges::sort(tasks, {}, [&](Index task) { return market.tasks[task]; });
  Micros longest_wait = 0;
  for (Index agent = 0; agent < agents; ++agent) {
    const std::size_t slots = market.slots[agent].size();
    for (Index slot = 0; slot < (problem.queueing ? slots : std::min<std::size_t>(slots, 1)); ++slot)
      queues.push_back({agent, slot});
    if (slots > 0)
      longest_wait = std::max(longest_wait, wait_score(market.slots[agent].back(), problem.weights));
  }
  entries.resize(tasks.size() * agents);
  for (std::size_t row = 0; row < tasks.size(); ++row) {
    Wide least = 0;
    Wide most = 0;
    const auto count = [&](Micros cost, Micros delay) {
      least = std::min<Wide>(least, cost);
      most = std::max<Wide>(most, Wide{cost} + longest_wait + static_cast<Wide>(tasks.size()) * delay);
    };
    for (const Offer& offer : market.offers[tasks[row]]) {
      const Micros delay = problem.queueing ? wait_score(offer.seconds, problem.weights) : 0;
      entries[row * agents + offer.agent] = {true, {offer.cost, delay}, offer.seconds};
      count(offer.cost, delay);
    }
    penalty += most - least;
  }
  giving_up.assign(tasks.size(), penalty);
}

Micros Matrix::slot_wait(Index queue, Index place) const {
  const auto& slots = market.slots[queues[queue].agent];
  return wait_score(problem.queueing ? slots[queues[queue].slot] : slots[place - 1], problem.weights);
}

bool Matrix::has_place(Index queue, Index place) const {
  return problem.queueing || place <= market.slots[queues[queue].agent].size();
}

void Matrix::add(Index row, std::size_t agent, Line line) {
  Entry& at = entries[row * agents + agent];
  if (std::exchange(at.allowed, true)) {
    line.other = at.line.other;
    at.line.other = static_cast<Index>(lines.size());
    lines.push_back(line);
  } else {
    at.line = line;
  }
}

Wide Duals::bound() const {
  Wide sum = 0;
  for (const Wide price : rows) sum += price;
  for (const Place& place : places) sum += place.price;
  return sum;
}

Outcome line_up(const Matrix& matrix, Solution solution) {
  const Problem& problem = matrix.problem;
  const Market& market = matrix.market;
  std::vector<std::pair<Index, Award>> found;
  for (Index q = 0; q < matrix.queues.size(); ++q) {
    const Queue& queue = matrix.queues[q];
    std::vector<Index>& rows = solution.rows[q];
    std::ranges::sort(
        rows, {}, [&](Index row) { return std::pair(matrix.entry(row, q).line.delay, matrix.tasks[row]); });
    const auto& slots = market.slots[queue.agent];
    SlotQueue slot(slots[queue.slot], problem.weights);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!problem.queueing) slot = SlotQueue(slots[i], problem.weights);
      const Entry& entry = matrix.entry(rows[i], q);
      const Index task = matrix.tasks[rows[i]];
      const Micros cost = clamp_micros(Wide{entry.line.cost} + slot.wait);
      found.push_back({task, {market.tasks[task], market.agents[queue.agent], slot.free_in, cost, cost}});
      slot.push(entry.seconds, problem.weights);
    }
  }
  std::ranges::sort(found, {}, [](const auto& item) { return item.first; });
  std::vector<Award> awards;
  for (const auto& [task, award] : found) awards.push_back(award);
  return outcome_of(std::move(awards));
}

std::optional<Certificate> certificate_of(const Matrix& matrix, const Duals& duals, Wide cost) {
  bool fits = true;
  const auto narrow = [&fits](Wide value) {
    fits = fits && clamp_micros(value) == value;
    return clamp_micros(value);
  };
  Certificate out;
  out.task_prices.resize(duals.rows.size());
  for (std::size_t row = 0; row < duals.rows.size(); ++row)
    out.task_prices[matrix.tasks[row]] = narrow(duals.rows[row]);
  for (const Duals::Place& place : duals.places) {
    const Queue& queue = matrix.queues[place.queue];
    out.place_prices.push_back(
        {matrix.market.agents[queue.agent], queue.slot, place.number, narrow(place.price)});
  }
  std::ranges::sort(out.place_prices, {}, [](const auto& p) { return std::tuple(p.agent, p.slot, p.place); });
  out.unassigned = narrow(matrix.penalty);
  out.bound = narrow(duals.bound());
  out.gap = narrow(cost - duals.bound());
  return fits ? std::optional(std::move(out)) : std::nullopt;
}

}  // namespace bidboard::assignment
