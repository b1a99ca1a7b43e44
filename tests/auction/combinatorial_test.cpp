#include <map>

#include "auction/clearing.hpp"
#include "auction/mechanisms/packages.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problems.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

std::vector<ProblemShape> shapes() {
  std::vector<ProblemShape> out;
  for (const bool queueing : {true, false}) {
    out.push_back({.queueing = queueing, .bundles_max = 4});
    out.push_back({.tasks_max = 4,
                   .agents_max = 2,
                   .capacity_max = 2,
                   .number_max = 3,
                   .bid_millionths = 300'000,
                   .queueing = queueing,
                   .bundles_max = 6});
    out.push_back({.tasks_max = 5,
                   .agents_max = 2,
                   .capacity_max = 1,
                   .number_max = 40,
                   .queueing = queueing,
                   .negative_costs = false,
                   .bundles_max = 5});
  }
  return out;
}

/// Too many tasks to try all plans, and agents that save a part when they take neighbours.
Problem large_problem(Random& random, bool queueing) {
  Problem problem;
  problem.queueing = queueing;
  for (std::uint64_t i = 1; i <= 40; ++i) problem.tasks.push_back({TaskId{i}});
  for (std::uint64_t j = 1; j <= 12; ++j)
    problem.agents.push_back(
        {AgentId{j}, std::vector<Micros>(static_cast<std::size_t>(random.between(1, 3)))});
  for (const ClearingAgent& agent : problem.agents) {
    std::vector<Micros> costs;
    for (const ClearingTask& task : problem.tasks) {
      costs.push_back(random.between(20, 60) * one);
      problem.bids.push_back({task.id, agent.id, costs.back(), costs.back()});
    }
    for (std::size_t first = 0; first + 3 <= costs.size(); first += 3) {
      const Micros cost = costs[first] + costs[first + 1] + costs[first + 2] - random.between(0, 60) * one;
      const auto task = [&](std::size_t i) { return problem.tasks[first + i].id; };
      problem.bundles.push_back({agent.id, {task(0), task(1), task(2)}, cost, cost});
    }
  }
  return retold(std::move(problem), random);
}

Wide cost_of(const packages::Choices& choices, const packages::Plan& plan) {
  Wide cost = 0;
  for (std::size_t slot = 0; slot < plan.size(); ++slot) cost += choices.cost(slot, plan[slot]);
  return cost;
}
std::size_t tasks_in(const packages::Choices& choices, const packages::Plan& plan) {
  std::size_t tasks = 0;
  for (const auto& run : plan)
    for (const std::size_t package : run) tasks += choices.packages[package].tasks.size();
  return tasks;
}

}  // namespace

TEST_CASE("with bundles the most tasks are assigned at the least cost, compared with trying everything") {
  std::size_t bundles_won = 0;
  std::size_t proven = 0;
  std::size_t rounds = 0;
  for (const ProblemShape& shape : shapes()) {
    Random random(43);
    for (int round = 0; round < 120; ++round) {
      const Problem problem = random_problem(random, shape);
      const Outcome outcome = combinatorial(problem);
      const Best best = brute_force(problem);
      INFO("queueing " << shape.queueing << " tasks_max " << shape.tasks_max << " round " << round);
      REQUIRE(flaw_of(problem, outcome) == "");
      CHECK(outcome.awards.size() == best.assigned);
      CHECK(outcome.total_cost == best.cost);
      CHECK(outcome.exact);
      CHECK(flaw_of_certificate(problem, outcome) == "");
      for (const Award& award : outcome.awards) bundles_won += award.bundle.empty() ? 0 : 1;
      proven += outcome.certificate->gap == 0 ? 1 : 0;
      ++rounds;
    }
  }
  CHECK(bundles_won > 200);
  CHECK(proven > rounds / 2);  // the prices alone prove most of them
}

TEST_CASE("one agent that sets up once beats the best bids for the tasks alone") {
  // Each would take 10 for a task alone; a2 saves a set-up of 4 for each further one of the three.
  Problem problem;
  problem.queueing = false;
  for (std::uint64_t i = 1; i <= 3; ++i) problem.tasks.push_back({TaskId{i}});
  for (std::uint64_t j = 1; j <= 3; ++j) {
    problem.agents.push_back({AgentId{j}, {0}});
    for (const ClearingTask& task : problem.tasks) problem.bids.push_back({task.id, AgentId{j}, 0, 10 * one});
  }
  problem.bundles.push_back({AgentId{2}, {TaskId{1}, TaskId{2}, TaskId{3}}, 0, 22 * one});
  const Outcome singles = optimal(problem);
  const Outcome outcome = combinatorial(problem);
  CHECK(singles.total_cost == 30 * one);
  CHECK(outcome.total_cost == 22 * one);
  for (const Award& award : outcome.awards) {
    CHECK(award.agent == AgentId{2});
    CHECK(award.bundle.size() == 3);
  }
  CHECK(outcome.certificate->gap == 0);
}

TEST_CASE(
    "a bundle's tasks run one after the other: with idle agents it wins only if it saves more than the "
    "wait") {
  Problem problem;
  for (std::uint64_t i = 1; i <= 2; ++i) problem.tasks.push_back({TaskId{i}});
  for (std::uint64_t j = 1; j <= 2; ++j) {
    problem.agents.push_back({AgentId{j}, {0}});
    for (const ClearingTask& task : problem.tasks)
      problem.bids.push_back({task.id, AgentId{j}, 10 * one, 10 * one});
  }
  problem.bundles.push_back({AgentId{1}, {TaskId{1}, TaskId{2}}, 14 * one, 14 * one});
  CHECK(combinatorial(problem).total_cost == 20 * one);  // 14 and a wait of 7 would be 21
  problem.agents.pop_back();
  std::erase_if(problem.bids, [](const ScoredBid& bid) { return bid.agent == AgentId{2}; });
  const Outcome alone = combinatorial(problem);
  CHECK(alone.total_cost == 21 * one);
  REQUIRE(alone.awards.size() == 2);
  CHECK(alone.awards[0].start_in == 0);
  CHECK(alone.awards[1].start_in == 7 * one);
}

TEST_CASE("a large problem is never worse than without bundles, and its reported gap is correct") {
  for (const bool queueing : {true, false}) {
    Random random(47);
    Wide saved = 0;
    for (int round = 0; round < 6; ++round) {
      Problem problem = large_problem(random, queueing);
      const Outcome outcome = combinatorial(problem);
      INFO("queueing " << queueing << " round " << round << " cost " << outcome.total_cost << " gap "
                       << outcome.certificate->gap);
      REQUIRE(flaw_of(problem, outcome) == "");
      CHECK(flaw_of_certificate(problem, outcome) == "");
      CHECK(outcome.certificate->gap <= outcome.total_cost / 3);
      const Outcome singles = optimal(problem);
      CHECK(outcome.awards.size() >= singles.awards.size());
      if (outcome.awards.size() == singles.awards.size()) {
        CHECK(outcome.total_cost <= singles.total_cost);
        saved += singles.total_cost - outcome.total_cost;
      }
      CHECK(combinatorial(retold(problem, random)).awards == outcome.awards);
      problem.bundles.clear();
      const Outcome without = combinatorial(problem);
      CHECK(without.exact);
      CHECK(without.total_cost == singles.total_cost);
    }
    CHECK((!queueing || saved > 0));
  }
}

TEST_CASE("the search that large problems get finds the best plan of most small ones") {
  Random random(53);
  int same = 0;
  int with_bundles = 0;
  for (int round = 0; round < 400; ++round) {
    const Problem problem = random_problem(random, {.tasks_max = 7,
                                                    .agents_max = 4,
                                                    .number_max = 30,
                                                    .queueing = round % 2 == 0,
                                                    .negative_costs = false,
                                                    .bundles_max = 8});
    if (problem.bundles.empty()) continue;
    const Market market(problem);
    const packages::Choices choices(problem, market);
    const auto best = packages::best_plan(choices);
    REQUIRE(best.has_value());
    const packages::Plan good = packages::good_plan(choices);
    REQUIRE(tasks_in(choices, good) <= tasks_in(choices, *best));
    const bool as_many = tasks_in(choices, good) == tasks_in(choices, *best);
    if (as_many) REQUIRE(cost_of(choices, good) >= cost_of(choices, *best));
    ++with_bundles;
    same += as_many && cost_of(choices, good) == cost_of(choices, *best) ? 1 : 0;
  }
  INFO(same << " of " << with_bundles);
  CHECK(same * 10 >= with_bundles * 8);
}
