// Winner determination with bundle bids: exact if small, else a good plan and a bound on its quality.
//
// The bound comes from a relaxation: every bundle is taken apart, its tasks share its cost and may be
// assigned separately. What remains is an assignment problem (assignment.hpp). Its minimum cost bounds every
// plan from below, and its dual prices bound the cost of every bundle too: add up the prices of the shares.
// Without queueing a bundle takes one place and not one per task, so there its shares are assigned to no
// agent, at their cost. The cost may be split in any way; after a first, equal split it follows the tasks'
// prices, and the best of all bounds counts.
#include <algorithm>
#include <utility>

#include "auction/mechanisms/assignment.hpp"
#include "auction/mechanisms/packages.hpp"
#include "blackboard/checks/check.hpp"

namespace bidboard {
namespace {

using packages::Choices;
using packages::Package;
using packages::Plan;

constexpr int splits_max = 4;

/// An equal split; the first ones get the remainder.
Micros share(Micros whole, std::size_t place, std::size_t size) {
  const auto n = static_cast<Micros>(size);
  const Micros rest = ((whole % n) + n) % n;
  return (whole - rest) / n + (static_cast<Micros>(place) < rest ? 1 : 0);
}

/// By bundle: each task's share of its cost.
using Shares = std::vector<std::vector<Micros>>;

Shares even_shares(const Choices& choices) {
  Shares shares;
  for (std::size_t i = choices.bundles_from; i < choices.packages.size(); ++i) {
    const Package& package = choices.packages[i];
    auto& own = shares.emplace_back();
    for (std::size_t k = 0; k < package.tasks.size(); ++k)
      own.push_back(share(package.cost, k, package.tasks.size()));
  }
  return shares;
}

/// Each task bears its price and an equal part of the rest. A bundle for which that gives numbers out of
/// range keeps its split.
void split_by_prices(const Choices& choices, const std::vector<Wide>& price_of, Wide penalty,
                     Shares& shares) {
  const auto is_sane = [most = std::min<Wide>(penalty, max_score)](Wide number) {
    return number >= -most && number <= most;
  };
  for (std::size_t i = choices.bundles_from; i < choices.packages.size(); ++i) {
    const Package& package = choices.packages[i];
    Wide open = package.cost;
    bool sane = true;
    for (const std::size_t task : package.tasks) {
      open -= price_of[task];
      sane = sane && is_sane(price_of[task]) && is_sane(open);
    }
    if (!sane) continue;
    auto& own = shares[i - choices.bundles_from];
    for (std::size_t k = 0; k < own.size(); ++k)
      own[k] =
          static_cast<Micros>(price_of[package.tasks[k]]) + share(static_cast<Micros>(open), k, own.size());
  }
}

class Relaxation {
 public:
  explicit Relaxation(const Choices& choices)
      : choices_(choices), plain_(choices.problem, choices.market), row_of_(plain_.tasks.size()) {
    for (assignment::Index row = 0; row < plain_.tasks.size(); ++row) row_of_[plain_.tasks[row]] = row;
    Wide longest_wait = 0;
    for (const packages::Slot& slot : choices.slots) longest_wait = std::max<Wide>(longest_wait, slot.wait);
    // A plan with one more task must cost less, even with bundles in it.
    for (std::size_t i = choices.bundles_from; i < choices.packages.size(); ++i) {
      const Package& package = choices.packages[i];
      plain_.penalty += std::max<Wide>(package.cost, -Wide{package.cost}) +
                        static_cast<Wide>(package.tasks.size()) * longest_wait +
                        static_cast<Wide>(plain_.tasks.size()) * package.delay;
    }
    plain_.giving_up.assign(plain_.tasks.size(), plain_.penalty);
  }

  /// The best bound over several splits, for a plan of this cost (including penalties).
  assignment::Duals prices(Wide cost) const {
    Shares shares = even_shares(choices_);
    assignment::Duals best = solve(shares);
    for (int split = 1; split < splits_max && !shares.empty() && best.bound() < cost; ++split) {
      std::vector<Wide> price_of(row_of_.size());
      for (std::size_t task = 0; task < price_of.size(); ++task) price_of[task] = best.rows[row_of_[task]];
      split_by_prices(choices_, price_of, plain_.penalty, shares);
      assignment::Duals other = solve(shares);
      if (other.bound() <= best.bound()) break;
      best = std::move(other);
    }
    return best;
  }
  const assignment::Matrix& plain() const { return plain_; }

 private:
  assignment::Duals solve(const Shares& shares) const {
    assignment::Matrix matrix = plain_;
    for (std::size_t i = choices_.bundles_from; i < choices_.packages.size(); ++i) {
      const Package& package = choices_.packages[i];
      const auto& slots = choices_.market.slots[package.agent];
      if (slots.empty()) continue;
      for (std::size_t k = 0; k < package.tasks.size(); ++k) {
        const assignment::Index row = row_of_[package.tasks[k]];
        const Micros cost = shares[i - choices_.bundles_from][k];
        if (choices_.problem.queueing) {
          matrix.add(row, package.agent, {cost, package.delay / static_cast<Micros>(package.tasks.size())});
          continue;
        }
        const Wide alone = Wide{cost} + wait_score(slots.front(), choices_.problem.weights);
        matrix.giving_up[row] = std::min(matrix.giving_up[row], alone);
      }
    }
    return assignment::shortest_paths(matrix).duals;
  }

  const Choices& choices_;
  assignment::Matrix plain_;  ///< without bundles
  std::vector<assignment::Index> row_of_;
};

Outcome carry_out(const Choices& choices, const Plan& plan) {
  const Market& market = choices.market;
  std::vector<std::pair<std::size_t, Award>> found;
  for (std::size_t s = 0; s < plan.size(); ++s) {
    const packages::Slot& slot = choices.slots[s];
    SlotQueue queue(market.slots[slot.agent][slot.number], choices.problem.weights);
    for (const std::size_t index : plan[s]) {
      const Package& package = choices.packages[index];
      const std::size_t size = package.tasks.size();
      std::vector<TaskId> together;
      if (size > 1)
        for (const std::size_t task : package.tasks) together.push_back(market.tasks[task]);
      std::ranges::sort(together);
      for (std::size_t k = 0; k < size; ++k) {
        const auto part = [&](Micros whole) {
          return static_cast<Micros>(Wide{whole} * static_cast<Wide>(k) / static_cast<Wide>(size));
        };
        const Micros start_in = queue.free_in + part(package.seconds);
        const Wide wait = Wide{queue.wait} + part(package.delay);
        const Micros cost = clamp_micros(share(package.cost, k, size) + wait);
        found.push_back({package.tasks[k],
                         {market.tasks[package.tasks[k]], market.agents[slot.agent],
                          k == 0 ? start_in : std::max<Micros>(start_in, 1), cost, cost, together}});
      }
      queue.push(package.seconds, choices.problem.weights);
    }
  }
  std::ranges::sort(found, {}, [](const auto& item) { return item.first; });
  std::vector<Award> awards;
  for (auto& [task, award] : found) awards.push_back(std::move(award));
  return outcome_of(std::move(awards));
}

}  // namespace

Outcome combinatorial(const Problem& problem) {
  if (problem.bundles.empty()) return optimal(problem);
  const Market market(problem);
  const Choices choices(problem, market);
  const std::optional<Plan> best = packages::best_plan(choices);
  const Plan plan = best ? *best : packages::good_plan(choices);
  Outcome out = carry_out(choices, plan);

  const Relaxation relaxation(choices);
  Wide cost = relaxation.plain().penalty * static_cast<Wide>(market.tasks.size() - out.awards.size());
  for (std::size_t slot = 0; slot < plan.size(); ++slot) cost += choices.cost(slot, plan[slot]);
  const assignment::Duals prices = relaxation.prices(cost);
  BB_CHECK(prices.bound() <= cost, "a bound is never above what is possible");
  out.certificate = assignment::certificate_of(relaxation.plain(), prices, cost);
  out.exact = best.has_value() || prices.bound() == cost;
  return out;
}

}  // namespace bidboard
