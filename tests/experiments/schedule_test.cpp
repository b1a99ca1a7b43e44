#include "experiments/schedule.hpp"

#include <algorithm>
#include <numeric>

#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Setting setting_of(const std::vector<Micros>& sizes,
                   const std::vector<std::pair<std::uint32_t, std::uint32_t>>& needs,
                   const std::vector<Micros>& speeds) {
  Setting setting;
  for (const Micros size : sizes) {
    PlannedTask task;
    task.spec.size = size * one;
    task.spec.name = "n" + std::to_string(setting.plan.tasks.size());
    setting.plan.tasks.push_back(std::move(task));
  }
  for (const auto& [task, needed] : needs) setting.plan.tasks[task].needs.push_back({needed, false});
  for (const Micros speed : speeds) {
    AgentProfile agent;
    agent.name = "a" + std::to_string(setting.agents.size());
    agent.speed = speed * one;
    setting.agents.push_back(std::move(agent));
    setting.lies.push_back(false);
  }
  return setting;
}

/// The best makespan over all orders of tasks and all assignments: each task, in some order that respects the
/// needs, at some agent, as early as can be.
double best_makespan(const Setting& setting) {
  const std::size_t tasks = setting.plan.tasks.size();
  const std::size_t agents = setting.agents.size();
  std::vector<std::size_t> order(tasks);
  std::iota(order.begin(), order.end(), std::size_t{0});
  double best = 1e300;
  do {
    std::vector<std::size_t> place(tasks);
    for (std::size_t i = 0; i < tasks; ++i) place[order[i]] = i;
    const bool respects = std::all_of(order.begin(), order.end(), [&](std::size_t t) {
      const auto& needs = setting.plan.tasks[t].needs;
      return std::all_of(needs.begin(), needs.end(),
                         [&](const PlannedNeed& n) { return place[n.task] < place[t]; });
    });
    if (!respects) continue;
    std::size_t assignments = 1;
    for (std::size_t i = 0; i < tasks; ++i) assignments *= agents;
    for (std::size_t code = 0; code < assignments; ++code) {
      std::vector<double> free(agents, 0), end(tasks, 0);
      std::size_t rest = code;
      double last = 0;
      for (const std::size_t t : order) {
        const std::size_t a = rest % agents;
        rest /= agents;
        double begin = free[a];
        for (const PlannedNeed& need : setting.plan.tasks[t].needs) begin = std::max(begin, end[need.task]);
        end[t] = free[a] = begin + from_micros(setting.true_seconds(setting.plan.tasks[t].spec, a));
        last = std::max(last, end[t]);
      }
      best = std::min(best, last);
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return best;
}

}  // namespace

TEST_CASE("the bound of simple graphs is what one would say") {
  CHECK(lower_bound(setting_of({3, 4, 5}, {{1, 0}, {2, 1}}, {1, 1})) == Approx(12));  // a chain
  CHECK(lower_bound(setting_of({4, 4, 4, 4}, {}, {1, 1})) == Approx(8));              // nothing in the way
  CHECK(lower_bound(setting_of({4, 4, 4, 4}, {}, {3, 1})) == Approx(4));
  // One task before and one behind six that go beside each other: neither the path (3) nor work over
  // capacity (4) tells that the two ends are alone.
  CHECK(lower_bound(setting_of(
            {1, 1, 1, 1, 1, 1, 1, 1},
            {{1, 0}, {2, 0}, {3, 0}, {4, 0}, {5, 0}, {6, 0}, {7, 1}, {7, 2}, {7, 3}, {7, 4}, {7, 5}, {7, 6}},
            {1, 1})) == Approx(5));
}

TEST_CASE("no schedule beats the bound, and HEFT is a schedule") {
  Random random(3);
  for (int round = 0; round < 60; ++round) {
    const std::size_t tasks = 2 + random.below(4);
    std::vector<Micros> sizes;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> needs;
    for (std::uint32_t t = 0; t < tasks; ++t) {
      sizes.push_back(random.between(1, 9));
      for (std::uint32_t n = 0; n < t; ++n)
        if (random.below(3) == 0) needs.emplace_back(t, n);
    }
    const Setting setting = setting_of(sizes, needs, {random.between(1, 3), random.between(1, 3)});
    const double best = best_makespan(setting);
    CHECK(lower_bound(setting) <= best * (1 + 1e-9));
    CHECK(heft_makespan(setting) >= best * (1 - 1e-9));
    CHECK(heft_makespan(setting) <= best * 1.7);
  }
}

TEST_CASE("tasks that took less than estimated made schedules that were below the bound") {
  Random random(4);
  bool below_estimates = false;
  for (int round = 0; round < 60; ++round) {
    Setting setting = setting_of({random.between(1, 9), random.between(1, 9), random.between(1, 9)}, {{2, 0}},
                                 {random.between(1, 3), random.between(1, 3)});
    const double of_estimates = lower_bound(setting);
    setting.error = one;
    setting.seed = random.next();
    const double best = best_makespan(setting);
    CHECK(lower_bound(setting) <= best * (1 + 1e-9));
    below_estimates = below_estimates || best < of_estimates;
  }
  CHECK(below_estimates);
}

TEST_CASE("list scheduling gives a free agent the ready task with the most behind it") {
  // A chain of 3 and 3 beside three tasks of 2: the chain first, or it would end at 8.
  CHECK(list_makespan(setting_of({2, 2, 2, 3, 3}, {{4, 3}}, {1, 1})) == Approx(6));
  CHECK(list_makespan(setting_of({4, 4, 4}, {{1, 0}, {2, 1}}, {1, 1})) == Approx(12));
}

TEST_CASE("after a death the rest is planned anew") {
  const Setting setting = setting_of({4, 4, 4, 4}, {}, {1, 1});
  CHECK(heft_makespan(setting) == Approx(8));
  // At 5 each has done one task and begun another: what the dead one had begun is done again behind it.
  CHECK(heft_replanned(setting, {1}, 5) == Approx(12));
  CHECK(heft_replanned(setting, {1}, 0) == Approx(16));
  CHECK(heft_replanned(setting, {0}, 100) == Approx(8));
}
