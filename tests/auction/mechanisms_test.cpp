#include <algorithm>
#include <map>

#include "auction/clearing.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problems.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr TaskId t(std::uint64_t n) { return {n}; }
constexpr AgentId a(std::uint64_t n) { return {n}; }

/// agents a1, a2, ... with these slots; bids[task][agent] = {seconds, cost} in whole units, both numbered
/// from 0.
Problem problem_of(std::vector<std::vector<Micros>> slots,
                   std::vector<std::vector<std::pair<Micros, Micros>>> bids, bool queueing = true) {
  Problem problem;
  problem.queueing = queueing;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    for (Micros& free_in : slots[i]) free_in *= one;
    problem.agents.push_back({a(i + 1), slots[i]});
  }
  for (std::size_t i = 0; i < bids.size(); ++i) {
    problem.tasks.push_back({t(i + 1)});
    for (std::size_t j = 0; j < bids[i].size(); ++j)
      problem.bids.push_back({t(i + 1), a(j + 1), bids[i][j].first * one, bids[i][j].second * one});
  }
  return problem;
}

std::vector<std::pair<std::uint64_t, std::uint64_t>> winners(const Outcome& outcome) {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> out;
  for (const Award& award : outcome.awards) out.emplace_back(award.task.value, award.agent.value);
  return out;
}
using Pairs = std::vector<std::pair<std::uint64_t, std::uint64_t>>;

std::vector<ProblemShape> shapes() {
  std::vector<ProblemShape> out;
  for (const bool queueing : {true, false}) {
    out.push_back({.queueing = queueing});
    out.push_back(
        {.tasks_max = 5, .agents_max = 2, .capacity_max = 1, .number_max = 2, .queueing = queueing});
    out.push_back({.tasks_max = 3,
                   .agents_max = 4,
                   .capacity_max = 1,
                   .number_max = 50,
                   .bid_millionths = 400'000,
                   .queueing = queueing,
                   .negative_costs = false});
  }
  return out;
}

/// How many tasks each agent has before the clearing.
std::map<AgentId, std::size_t> loads_before(const Problem& problem) {
  std::map<AgentId, std::size_t> loads;
  for (const ClearingAgent& agent : problem.agents)
    for (const Micros free_in : agent.slot_free_in) loads[agent.id] += free_in > 0 ? 1 : 0;
  return loads;
}

/// The simple twin of first_price and vickrey.
std::vector<std::pair<Award, std::vector<Micros>>> twin_of_single_round(const Problem& problem) {
  std::map<AgentId, std::vector<Micros>> slots;
  for (const ClearingAgent& agent : problem.agents) slots[agent.id] = agent.slot_free_in;
  std::map<AgentId, std::size_t> loads = loads_before(problem);
  std::vector<std::pair<Award, std::vector<Micros>>> out;
  for (const ClearingTask& task : problem.tasks) {
    std::map<std::tuple<Micros, std::size_t, AgentId>, Micros> bids;
    for (const auto& [agent, free] : slots)
      if (const ScoredBid* bid = bid_of(problem, task.id, agent); bid && !free.empty())
        bids[{bid->cost + wait_score(free[0], problem.weights), loads[agent], agent}] = free[0];
    if (bids.empty()) continue;
    const auto& [key, start_in] = *bids.begin();
    const auto& [cost, load, winner] = key;
    std::vector<Micros> costs;
    for (const auto& [other, start] : bids) costs.push_back(std::get<Micros>(other));
    out.push_back({{task.id, winner, start_in, cost, 0}, costs});
    slots[winner].erase(slots[winner].begin());
    loads[winner] += 1;
  }
  return out;
}

/// The simple twin of sequential under queueing: looks at every slot of every bidder.
Micros twin_of_sequential(const Problem& problem, std::vector<AgentId>& chosen) {
  std::map<std::pair<AgentId, std::size_t>, std::pair<Micros, Micros>>
      ends;  // slot → time, cost of waiting for it
  for (const ClearingAgent& agent : problem.agents)
    for (std::size_t s = 0; s < agent.slot_free_in.size(); ++s)
      ends[{agent.id, s}] = {agent.slot_free_in[s], wait_score(agent.slot_free_in[s], problem.weights)};
  std::map<AgentId, std::size_t> loads = loads_before(problem);
  Micros total = 0;
  for (const ClearingTask& task : problem.tasks) {
    const std::pair<AgentId, std::size_t>* best = nullptr;
    Micros best_cost = 0;
    for (const auto& [slot, end] : ends) {
      const ScoredBid* bid = bid_of(problem, task.id, slot.first);
      if (!bid) continue;
      const Micros cost = bid->cost + end.second;
      if (best && best_cost < cost) continue;
      const bool earlier_slot = best && best->first == slot.first && end.first < ends[*best].first;
      if (best && best_cost == cost && !earlier_slot && loads[best->first] <= loads[slot.first]) continue;
      best = &slot;
      best_cost = cost;
    }
    chosen.push_back(best ? best->first : AgentId{});
    if (!best) continue;
    loads[best->first] += 1;
    const Micros seconds = bid_of(problem, task.id, best->first)->seconds;
    ends[*best].first += seconds;
    ends[*best].second += wait_score(seconds, problem.weights);
    total += best_cost;
  }
  return total;
}

}  // namespace

TEST_CASE("optimal assigns the most tasks at the least cost, and proves it") {
  for (const ProblemShape& shape : shapes()) {
    Random random(7);
    for (int round = 0; round < 150; ++round) {
      const Problem problem = random_problem(random, shape);
      const Outcome outcome = optimal(problem);
      const Best best = brute_force(problem);
      INFO("queueing " << shape.queueing << " tasks_max " << shape.tasks_max << " round " << round);
      REQUIRE(flaw_of(problem, outcome) == "");
      CHECK(outcome.awards.size() == best.assigned);
      CHECK(outcome.total_cost == best.cost);
      CHECK(flaw_of_certificate(problem, outcome) == "");
    }
  }
}

TEST_CASE("first_price and vickrey agree with their simple twin") {
  for (const ProblemShape& shape : shapes()) {
    Random random(11);
    for (int round = 0; round < 150; ++round) {
      const Problem problem = random_problem(random, shape);
      const Outcome first = first_price(problem);
      const Outcome second = vickrey(problem);
      const auto twin = twin_of_single_round(problem);
      REQUIRE(flaw_of(problem, first) == "");
      REQUIRE(flaw_of(problem, second) == "");
      REQUIRE(first.awards.size() == twin.size());
      REQUIRE(second.awards.size() == twin.size());
      for (std::size_t i = 0; i < twin.size(); ++i) {
        Award expected = twin[i].first;
        const auto& costs = twin[i].second;
        expected.price = expected.cost;
        CHECK(first.awards[i] == expected);
        expected.price = costs.size() > 1 ? costs[1] : costs[0];
        CHECK(second.awards[i] == expected);
      }
    }
  }
}

TEST_CASE("sequential agrees with its simple twin, and never beats the optimum") {
  for (const ProblemShape& shape : shapes()) {
    Random random(13);
    for (int round = 0; round < 150; ++round) {
      const Problem problem = random_problem(random, shape);
      const Outcome outcome = sequential(problem);
      REQUIRE(flaw_of(problem, outcome) == "");
      if (!shape.queueing) {
        CHECK(outcome.awards == first_price(problem).awards);
        continue;
      }
      std::vector<AgentId> chosen;
      CHECK(outcome.total_cost == twin_of_sequential(problem, chosen));
      std::vector<AgentId> given(problem.tasks.size());
      for (const Award& award : outcome.awards)
        for (std::size_t i = 0; i < given.size(); ++i)
          if (problem.tasks[i].id == award.task) given[i] = award.agent;
      CHECK(given == chosen);
      const Outcome best = optimal(problem);
      CHECK(best.awards.size() == outcome.awards.size());
      CHECK(best.total_cost <= outcome.total_cost);
    }
  }
}

TEST_CASE("equal bids are shared out, instead of all going to the agent registered first") {
  const auto equal = std::vector<std::pair<Micros, Micros>>{{0, 0}, {0, 0}};
  for (const Mechanism mechanism : {first_price, vickrey, sequential}) {
    const Outcome free = mechanism(problem_of({{0, 0}, {0, 0}}, {equal, equal, equal, equal}));
    CHECK(winners(free) == Pairs{{1, 1}, {2, 2}, {3, 1}, {4, 2}});
    const Outcome one_is_busy = mechanism(problem_of({{0, 5}, {0, 0}}, {equal}));
    CHECK(winners(one_is_busy) == Pairs{{1, 2}});
  }
}

TEST_CASE("the order of agents and bids in the input never changes an outcome") {
  for (const std::string_view name : mechanism_names()) {
    const Mechanism mechanism = *find_mechanism(name);
    std::vector<ProblemShape> all = shapes();
    for (const bool queueing : {true, false})
      all.push_back({.tasks_max = 6, .number_max = 3, .queueing = queueing, .bundles_max = 8});
    for (const ProblemShape& shape : all) {
      Random random(17);
      for (int round = 0; round < 60; ++round) {
        const Problem problem = random_problem(random, shape);
        const Outcome outcome = mechanism(problem);
        INFO(name << " round " << round);
        for (int again = 0; again < 3; ++again) {
          const Outcome other = mechanism(retold(problem, random));
          CHECK(other.awards == outcome.awards);
          CHECK(other.certificate == outcome.certificate);
        }
      }
    }
  }
}

TEST_CASE("without queueing the optimum does not even depend on the order of the tasks") {
  Random random(19);
  for (int round = 0; round < 200; ++round) {
    const Problem problem = random_problem(random, {.number_max = 1, .queueing = false});
    const Problem other = [&] {
      Problem shuffled = problem;
      shuffle(shuffled.tasks, random);
      return shuffled;
    }();
    for (const Mechanism mechanism : {optimal, bertsekas}) {
      const auto before = winners(mechanism(problem));
      const auto after = winners(mechanism(other));
      CHECK(std::map(before.begin(), before.end()) == std::map(after.begin(), after.end()));
    }
  }
}

TEST_CASE("a task waits for a busy agent when that is cheaper than the free one") {
  // a1 is four times as fast and free in 2 seconds.
  const Problem problem = problem_of({{2}, {0}}, {{{3, 3}, {12, 12}}});
  for (const std::string_view name : mechanism_names()) {
    const Outcome outcome = (*find_mechanism(name))(problem);
    INFO(name);
    REQUIRE(winners(outcome) == Pairs{{1, 1}});
    CHECK(outcome.awards[0].start_in == 2 * one);
    CHECK(outcome.awards[0].cost == 5 * one);
    CHECK(outcome.awards[0].price == (name == "vickrey" ? 12 : 5) * one);
  }
}

TEST_CASE("first_price gives a slot one task; the next goes to another agent or stays unassigned") {
  const std::vector<std::vector<std::pair<Micros, Micros>>> bids{
      {{1, 1}, {9, 9}}, {{1, 1}, {9, 9}}, {{1, 1}, {9, 9}}};
  CHECK(winners(first_price(problem_of({{0}, {0}}, bids))) == Pairs{{1, 1}, {2, 2}});
  CHECK(winners(first_price(problem_of({{0, 5}, {0}}, bids))) == Pairs{{1, 1}, {2, 1}, {3, 2}});
}

TEST_CASE("sequential queues behind a fast agent as long as that is best") {
  const std::vector<std::vector<std::pair<Micros, Micros>>> bids(4, {{2, 2}, {7, 7}});
  const Outcome outcome = sequential(problem_of({{0}, {0}}, bids));
  CHECK(winners(outcome) == Pairs{{1, 1}, {2, 1}, {3, 1}, {4, 2}});
  CHECK(outcome.awards[1].start_in == 2 * one);
  CHECK(outcome.awards[2].cost == 6 * one);
}

TEST_CASE("only the first task of a free slot starts now, even if the one before it takes no time") {
  const Problem problem = problem_of({{0}}, {{{0, 0}}, {{0, 0}}, {{0, 0}}});
  for (const Mechanism mechanism : {sequential, optimal, bertsekas}) {
    const Outcome outcome = mechanism(problem);
    REQUIRE(outcome.awards.size() == 3);
    CHECK(std::ranges::count(outcome.awards, 0, &Award::start_in) == 1);
  }
}

TEST_CASE("optimal runs short tasks first in a queue, equal ones as admitted") {
  const Outcome outcome = optimal(problem_of({{0}}, {{{5, 5}}, {{1, 1}}, {{3, 3}}, {{1, 1}}}));
  std::vector<Micros> starts;
  for (const Award& award : outcome.awards) starts.push_back(award.start_in / one);
  CHECK(starts == std::vector<Micros>{5, 0, 2, 1});
  CHECK(outcome.total_cost == 18 * one);
}

TEST_CASE("optimal prefers one more task to any saving") {
  // t1 alone would cost nothing with a1, but then no agent could take t2.
  const Problem problem = [] {
    Problem p = problem_of({{0}, {0}}, {{{1, 0}, {1, 1'000}}, {{1, 1'000}}}, false);
    return p;
  }();
  const Outcome outcome = optimal(problem);
  CHECK(winners(outcome) == Pairs{{1, 2}, {2, 1}});
  CHECK(outcome.total_cost == 2'000 * one);
}

TEST_CASE("under vickrey the true cost is the best bid for a single task") {
  Random random(23);
  for (int round = 0; round < 300; ++round) {
    const auto agents = static_cast<std::size_t>(random.between(1, 4));
    std::vector<std::pair<Micros, Micros>> truth;
    for (std::size_t i = 0; i < agents; ++i) truth.emplace_back(1, random.between(0, 9));
    const auto gain = [&](const std::vector<std::pair<Micros, Micros>>& said) {
      const Outcome outcome = vickrey(problem_of(std::vector<std::vector<Micros>>(agents, {0}), {said}));
      return outcome.awards[0].agent == a(1) ? outcome.awards[0].price - truth[0].second * one : 0;
    };
    if (agents == 1) continue;
    const Micros honest = gain(truth);
    CHECK(honest >= 0);
    for (Micros lie = 0; lie <= 10; ++lie) {
      auto said = truth;
      said[0].second = lie;
      CHECK(gain(said) <= honest);
    }
  }
}

TEST_CASE("a large problem with the largest allowed numbers is solved with a proof") {
  Random random(29);
  Problem problem;
  problem.weights = {1'000 * one, one};
  for (std::uint64_t i = 1; i <= 200; ++i) problem.tasks.push_back({t(i)});
  for (std::uint64_t j = 1; j <= 64; ++j)
    problem.agents.push_back({a(j), {random.between(0, 1) * max_bid_seconds}});
  for (const auto& task : problem.tasks)
    for (const auto& agent : problem.agents)
      problem.bids.push_back(
          {task.id, agent.id, random.between(0, max_bid_seconds), random.between(-max_score, max_score)});
  for (const std::string_view name : mechanism_names()) {
    const Outcome outcome = (*find_mechanism(name))(problem);
    INFO(name);
    CHECK(outcome.awards.size() == (name == "first_price" || name == "vickrey" ? 64 : 200));
    CHECK(outcome.total_cost >= -4'000'000'000'000'000'000);
    CHECK(outcome.total_cost <= 4'000'000'000'000'000'000);
  }
}

TEST_CASE("the optimum is proven when its sums need more than 64 bits on the way") {
  Random random(31);
  for (int round = 0; round < 20; ++round) {
    Problem problem;
    problem.weights = {1'000 * one, one};
    for (std::uint64_t i = 1; i <= 20; ++i) problem.tasks.push_back({t(i)});
    for (std::uint64_t j = 1; j <= 8; ++j)
      problem.agents.push_back({a(j), {0, random.between(0, max_bid_seconds)}});
    for (const auto& task : problem.tasks)
      for (const auto& agent : problem.agents)
        problem.bids.push_back({task.id, agent.id, random.between(0, max_bid_seconds / 8),
                                random.between(-max_score, max_score)});
    const Outcome outcome = optimal(problem);
    REQUIRE(flaw_of(problem, outcome) == "");
    CHECK(flaw_of_certificate(problem, outcome) == "");
    CHECK(outcome.certificate->unassigned > INT64_MAX / 16);
    CHECK(outcome.total_cost <= sequential(problem).total_cost);
    const Outcome by_auction = bertsekas(problem);
    CHECK(flaw_of_certificate(problem, by_auction) == "");
    CHECK(by_auction.total_cost == outcome.total_cost);
  }
}

TEST_CASE("mechanisms are found by name, and an unknown name is answered with the known ones") {
  for (const std::string_view name : mechanism_names()) CHECK(find_mechanism(name).has_value());
  const auto unknown = find_mechanism("auctioneer");
  REQUIRE_FALSE(unknown.has_value());
  CHECK(unknown.error().code == Errc::invalid);
  CHECK(unknown.error().text ==
        "unknown mechanism 'auctioneer'; known: first_price, vickrey, sequential, optimal, bertsekas, "
        "combinatorial");
}
