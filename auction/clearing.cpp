#include "auction/clearing.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <tuple>
#include <utility>

#include "auction/market.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::array<std::pair<std::string_view, Mechanism>, 6> mechanisms{{
    {"first_price", first_price},
    {"vickrey", vickrey},
    {"sequential", sequential},
    {"optimal", optimal},
    {"bertsekas", bertsekas},
    {"combinatorial", combinatorial},
}};

constexpr Micros free_in_max =
    1'000'000'000'000'000'000;  // with clearing_tasks_max × max_bid_seconds still far from 64 bits

/// The ids in ascending order, each with its index in the problem.
template <class Item>
auto numbered(const std::vector<Item>& items) {
  std::vector<std::pair<decltype(Item::id), std::size_t>> order;
  for (std::size_t i = 0; i < items.size(); ++i) order.emplace_back(items[i].id, i);
  std::ranges::sort(order);
  for (std::size_t i = 1; i < order.size(); ++i)
    BB_CHECK(order[i - 1].first != order[i].first, "an id occurs twice");
  return order;
}

/// The position of the id in that order; first looked for at `likely`.
template <class Order, class IdType>
std::size_t place_of(const Order& order, IdType id, std::size_t likely = 0) {
  if (likely < order.size() && order[likely].first == id) return likely;
  const auto at = std::ranges::lower_bound(order, id, {}, &Order::value_type::first);
  BB_CHECK(at != order.end() && at->first == id, "a bid names an unknown id");
  return static_cast<std::size_t>(at - order.begin());
}

}  // namespace

Market::Market(const Problem& problem) {
  BB_CHECK(problem.tasks.size() <= clearing_tasks_max, "too many tasks for one clearing");
  const auto agent_order = numbered(problem.agents);
  const auto task_order = numbered(problem.tasks);
  for (const ClearingTask& task : problem.tasks) tasks.push_back(task.id);
  for (const auto& [id, index] : agent_order) {
    agents.push_back(id);
    slots.push_back(problem.agents[index].slot_free_in);
    busy.push_back(
        static_cast<std::size_t>(std::ranges::count_if(slots.back(), [](Micros in) { return in > 0; })));
    BB_CHECK(std::ranges::is_sorted(slots.back()), "slots are sorted by the time at which they become free");
    BB_CHECK(slots.back().empty() || slots.back().front() >= 0, "a slot becomes free in the past");
    BB_CHECK(slots.back().empty() || slots.back().back() <= free_in_max, "a slot becomes free too late");
  }
  offers.resize(tasks.size());
  // Bids mostly come task by task, the agents in the order of their ids.
  std::size_t task_place = 0;
  std::size_t agent_place = 0;
  for (const ScoredBid& bid : problem.bids) {
    BB_CHECK(bid.seconds >= 0 && bid.seconds <= max_bid_seconds, "seconds out of bounds");
    BB_CHECK(bid.cost >= -max_score && bid.cost <= max_score, "cost out of bounds");
    task_place = place_of(task_order, bid.task, task_place);
    agent_place = place_of(agent_order, bid.agent, agent_place + 1);
    std::vector<Offer>& list = offers[task_order[task_place].second];
    if (list.empty()) list.reserve(agents.size());
    list.push_back({agent_place, bid.seconds, bid.cost});
  }
  for (auto& list : offers) {
    std::ranges::sort(list, {}, &Offer::agent);
    BB_CHECK(std::ranges::adjacent_find(list, {}, &Offer::agent) == list.end(),
             "two bids of one agent for one task");
  }
  add_bundles(problem);
}

void Market::add_bundles(const Problem& problem) {
  BB_CHECK(problem.bundles.size() <= clearing_bundles_max, "too many bundles for one clearing");
  if (problem.bundles.empty()) return;
  const auto agent_order = numbered(problem.agents);
  const auto task_order = numbered(problem.tasks);
  std::vector<const ScoredBundle*> order;
  for (const ScoredBundle& bundle : problem.bundles) order.push_back(&bundle);
  const auto key = [](const ScoredBundle* bundle) { return std::tie(bundle->agent, bundle->tasks); };
  std::ranges::sort(order, {}, key);
  BB_CHECK(std::ranges::adjacent_find(order, {}, key) == order.end(),
           "two bundles of one agent for the same tasks");
  for (const ScoredBundle* bundle : order) {
    BB_CHECK(bundle->seconds >= 0 && bundle->seconds <= max_bid_seconds, "seconds out of bounds");
    BB_CHECK(bundle->cost >= -max_score && bundle->cost <= max_score, "cost out of bounds");
    BB_CHECK(bundle->tasks.size() >= 2 && std::ranges::is_sorted(bundle->tasks, std::less_equal<>{}),
             "a bundle holds two tasks or more, by id");
    bundles.push_back({place_of(agent_order, bundle->agent), bundle->seconds, bundle->cost});
    Bundle& added = bundles.back();
    for (const TaskId task : bundle->tasks)
      added.tasks.push_back(task_order[place_of(task_order, task)].second);
    std::ranges::sort(added.tasks);
  }
}

void SlotQueue::push(Micros seconds, const Weights& weights) {
  // At least 1: a task that is not the first in its slot must not look as if it could start now.
  free_in = std::max<Micros>(free_in + seconds, 1);
  wait = clamp_micros(Wide{wait} + wait_score(seconds, weights));
}

Micros clamp_micros(Wide value) {
  constexpr Micros limit = 4'000'000'000'000'000'000;
  return static_cast<Micros>(std::clamp<Wide>(value, -limit, limit));
}

Outcome outcome_of(std::vector<Award> awards) {
  Wide total = 0;
  for (const Award& award : awards) total += award.cost;
  return {std::move(awards), clamp_micros(total), {}, false};
}

Result<Mechanism> find_mechanism(std::string_view name) {
  std::string known;
  for (const auto& [known_name, mechanism] : mechanisms) {
    if (known_name == name) return mechanism;
    known += (known.empty() ? "" : ", ") + std::string(known_name);
  }
  return fail(Errc::invalid, fmt::format("unknown mechanism '{}'; known: {}", name, known));
}

std::vector<std::string_view> mechanism_names() {
  std::vector<std::string_view> names;
  for (const auto& [name, mechanism] : mechanisms) names.push_back(name);
  return names;
}

}  // namespace bidboard
