// For each slot, the cost of every set of tasks; then, slot by slot, the cost of every set of tasks on the
// slots so far. A set is a bit mask, its bits the tasks by id.
#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

#include "auction/mechanisms/packages.hpp"
#include "blackboard/checks/check.hpp"

namespace bidboard::packages {
namespace {

using Set = std::uint32_t;
constexpr std::uint64_t steps_max = std::uint64_t{1} << 22;
constexpr std::size_t tasks_max = 20;
constexpr std::size_t nothing = std::numeric_limits<std::size_t>::max();
/// At most 20 tasks at max_score each, plus waits for 20 others at max_score, stay far below this.
constexpr Micros impossible = std::numeric_limits<Micros>::max() / 4;

/// How an agent could do a set of tasks, without the slot's own wait.
struct Way {
  Set tasks = 0;
  Micros cost = 0;
  std::size_t first =
      nothing;  ///< the package that runs first; the rest is the best plan for the remaining tasks
};

class Planner {
 public:
  explicit Planner(const Choices& choices) : choices_(choices), count_(choices.market.tasks.size()) {
    std::vector<std::size_t> order(count_);
    for (std::size_t i = 0; i < count_; ++i) order[i] = i;
    std::ranges::sort(order, {}, [&](std::size_t task) { return choices.market.tasks[task]; });
    std::vector<Set> bit(count_);
    for (std::size_t i = 0; i < count_; ++i) bit[order[i]] = Set{1} << i;
    by_agent_.resize(choices.market.agents.size());
    for (std::size_t i = 0; i < choices.packages.size(); ++i) {
      Set set = 0;
      for (const std::size_t task : choices.packages[i].tasks) set |= bit[task];
      sets_.push_back(set);
      by_agent_[choices.packages[i].agent].push_back(i);
    }
  }

  Plan plan() {
    for (const Slot& slot : choices_.slots) {
      if (slot.number == 0)
        ways_.push_back(choices_.problem.queueing ? runs(slot.agent) : single(slot.agent));
      ways_of_.push_back(ways_.size() - 1);
    }
    std::vector<std::vector<Micros>> costs{std::vector<Micros>(Set{1} << count_, impossible)};
    costs[0][0] = 0;
    for (std::size_t slot = 0; slot < choices_.slots.size(); ++slot)
      costs.push_back(with(slot, costs.back()));
    return backtrack(costs);
  }

 private:
  /// Every set that the agent can run in one slot, at its minimum cost.
  std::vector<Way> runs(std::size_t agent) const {
    std::vector<Way> best(Set{1} << count_, Way{0, impossible, nothing});
    best[0].cost = 0;
    for (Set set = 1; set < best.size(); ++set) {
      best[set].tasks = set;
      for (const std::size_t index : by_agent_[agent]) {
        if ((sets_[index] & ~set) != 0) continue;
        const Set rest = set & ~sets_[index];
        if (best[rest].cost == impossible) continue;
        const Package& package = choices_.packages[index];
        const Micros cost =
            static_cast<Micros>(package.own) + package.delay * std::popcount(rest) + best[rest].cost;
        if (cost < best[set].cost) best[set] = {set, cost, index};
      }
    }
    return best;
  }

  /// Without queueing: one package.
  std::vector<Way> single(std::size_t agent) const {
    std::vector<Way> out;
    for (const std::size_t index : by_agent_[agent])
      out.push_back({sets_[index], static_cast<Micros>(choices_.packages[index].own), index});
    return out;
  }

  Micros cost_in(std::size_t slot, const Way& way) const {
    return way.cost + choices_.slots[slot].wait * std::popcount(way.tasks);
  }

  /// The cost of each set with one more slot.
  std::vector<Micros> with(std::size_t slot, const std::vector<Micros>& before) const {
    std::vector<Micros> after = before;
    const Set all = (Set{1} << count_) - 1;
    for (const Way& way : ways_[ways_of_[slot]]) {
      if (way.tasks == 0 || way.cost == impossible) continue;
      const Micros own = cost_in(slot, way);
      const Set others = all & ~way.tasks;
      for (Set set = others;; set = (set - 1) & others) {
        if (before[set] != impossible)
          after[set | way.tasks] = std::min(after[set | way.tasks], before[set] + own);
        if (set == 0) break;
      }
    }
    return after;
  }

  /// From the last slot back to the first: which way led to the cost.
  Plan backtrack(const std::vector<std::vector<Micros>>& costs) const {
    Set set = 0;
    for (Set other = 0; other < costs.back().size(); ++other) {
      if (costs.back()[other] == impossible) continue;
      const int more = std::popcount(other) - std::popcount(set);
      if (more > 0 || (more == 0 && costs.back()[other] < costs.back()[set])) set = other;
    }
    Plan plan(choices_.slots.size());
    for (std::size_t slot = plan.size(); slot-- > 0;) {
      if (costs[slot][set] == costs[slot + 1][set]) continue;
      const std::vector<Way>& ways = ways_[ways_of_[slot]];
      const auto taken = std::ranges::find_if(ways, [&](const Way& way) {
        return way.tasks != 0 && way.cost != impossible && (way.tasks & ~set) == 0 &&
               costs[slot][set & ~way.tasks] != impossible &&
               costs[slot][set & ~way.tasks] + cost_in(slot, way) == costs[slot + 1][set];
      });
      BB_CHECK(taken != ways.end(), "a cost came from nowhere");
      set &= ~taken->tasks;
      for (const Way* way = &*taken;; way = &ways[way->tasks & ~sets_[way->first]]) {
        if (way->tasks == 0) break;
        plan[slot].push_back(way->first);
        if (!choices_.problem.queueing) break;
      }
    }
    return plan;
  }

  const Choices& choices_;
  std::size_t count_;
  std::vector<Set> sets_;                           ///< by package
  std::vector<std::vector<std::size_t>> by_agent_;  ///< packages
  std::vector<std::vector<Way>> ways_;              ///< by agent with slots; with queueing, by set
  std::vector<std::size_t> ways_of_;                ///< by slot
};

bool is_small(const Choices& choices) {
  const std::size_t tasks = choices.market.tasks.size();
  if (tasks > tasks_max) return false;
  std::uint64_t steps = 0;
  const auto add = [&](std::uint64_t each, std::uint64_t times) {
    const std::uint64_t room = steps_max - std::min(steps, steps_max);
    steps += each * times > room ? room + 1 : each * times;
  };
  std::uint64_t cube = 1;
  for (std::size_t i = 0; i < tasks; ++i) cube *= 3;
  add(std::uint64_t{1} << tasks, choices.slots.size());
  if (choices.problem.queueing) {
    add(cube, choices.slots.size());
    add(std::uint64_t{1} << tasks, choices.packages.size());
  } else {
    for (const Package& package : choices.packages)
      add(std::uint64_t{1} << (tasks - package.tasks.size()),
          std::min(choices.market.slots[package.agent].size(), tasks));
  }
  return steps <= steps_max;
}

}  // namespace

std::optional<Plan> best_plan(const Choices& choices) {
  if (!is_small(choices)) return {};
  return Planner(choices).plan();
}

}  // namespace bidboard::packages
