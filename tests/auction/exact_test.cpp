// `optimal` and `bertsekas` against an independent solver: successive shortest paths
// by Bellman and Ford in a flow network, without prices, penalties or lazily opened places.
#include <deque>
#include <map>

#include "auction/clearing.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problems.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// As many units as possible from node 0 to node 1, each along the cheapest way left.
class Network {
 public:
  void connect(std::size_t from, std::size_t to, Micros cost) {
    arcs_.push_back({from, to, true, cost});
    arcs_.push_back({to, from, false, -cost});
  }
  Best flow() {
    Best out;
    while (const auto path = cheapest_path()) {
      for (std::size_t at = 1; at != 0; at = arcs_[path->at(at)].from) {
        const std::size_t arc = path->at(at);
        arcs_[arc].open = false;
        arcs_[arc ^ 1].open = true;
        out.cost += arcs_[arc].cost;
      }
      out.assigned += 1;
    }
    return out;
  }

 private:
  struct Arc {
    std::size_t from, to;
    bool open;
    Micros cost;
  };
  /// The arc by which each node is reached.
  std::optional<std::map<std::size_t, std::size_t>> cheapest_path() const {
    std::map<std::size_t, Micros> distance{{0, 0}};
    std::map<std::size_t, std::size_t> by;
    for (bool shorter = true; shorter;) {
      shorter = false;
      for (std::size_t i = 0; i < arcs_.size(); ++i) {
        const Arc& arc = arcs_[i];
        const auto from = distance.find(arc.from);
        if (!arc.open || from == distance.end()) continue;
        const Micros through = from->second + arc.cost;
        const auto [to, first] = distance.try_emplace(arc.to, through);
        if (!first && to->second <= through) continue;
        to->second = through;
        by[arc.to] = i;
        shorter = true;
      }
    }
    if (!distance.contains(1)) return {};
    return by;
  }
  std::vector<Arc> arcs_;
};

Best by_flow(const Problem& problem) {
  Network network;
  std::map<TaskId, std::size_t> task_nodes;
  std::size_t nodes = 2;
  for (const ClearingTask& task : problem.tasks) network.connect(0, task_nodes[task.id] = nodes++, 0);
  for (const ClearingAgent& agent : problem.agents)
    for (const Micros free_in : agent.slot_free_in)
      for (std::size_t behind = 0; behind < (problem.queueing ? problem.tasks.size() : 1); ++behind) {
        const std::size_t place = nodes++;
        network.connect(place, 1, 0);
        for (const ClearingTask& task : problem.tasks)
          if (const ScoredBid* bid = bid_of(problem, task.id, agent.id))
            network.connect(task_nodes[task.id], place,
                            bid->cost + wait_score(free_in, problem.weights) +
                                static_cast<Micros>(behind) * wait_score(bid->seconds, problem.weights));
      }
  return network.flow();
}

}  // namespace

TEST_CASE(
    "optimal equals an independent exact solver on 1,000 random rectangular instances, and so does "
    "bertsekas") {
  Random random(37);
  std::size_t assigned = 0;
  for (int round = 0; round < 1'000; ++round) {
    const Problem problem = random_problem(random, {.tasks_max = 24,
                                                    .agents_max = 14,
                                                    .capacity_max = 3,
                                                    .number_max = random.chance(500'000) ? 5 : 5'000,
                                                    .bid_millionths = random.between(200'000, 1'000'000),
                                                    .queueing = random.chance(300'000),
                                                    .negative_costs = random.chance(500'000)});
    INFO("round " << round);
    const Best exact = by_flow(problem);
    assigned += exact.assigned;
    for (const Mechanism mechanism : {optimal, bertsekas}) {
      const Outcome outcome = mechanism(problem);
      REQUIRE(flaw_of(problem, outcome) == "");
      CHECK(outcome.awards.size() == exact.assigned);
      CHECK(outcome.total_cost == exact.cost);
      CHECK(flaw_of_certificate(problem, outcome) == "");
      REQUIRE(outcome.certificate.has_value());
      CHECK(outcome.certificate->gap <=
            (mechanism == optimal ? 0 : static_cast<Micros>(problem.tasks.size())));
    }
  }
  CHECK(assigned > 7'000);
}

TEST_CASE("bertsekas ends when no agent can take any task, and when all tasks want the same place") {
  Problem problem;
  CHECK(bertsekas(problem).awards.empty());
  for (std::uint64_t i = 1; i <= 20; ++i) problem.tasks.push_back({TaskId{i}});
  CHECK(bertsekas(problem).awards.empty());
  problem.agents.push_back({AgentId{1}, {0}});
  problem.queueing = false;
  for (const ClearingTask& task : problem.tasks)
    problem.bids.push_back({task.id, AgentId{1}, one, max_score - static_cast<Micros>(task.id.value)});
  const Outcome outcome = bertsekas(problem);
  REQUIRE(outcome.awards.size() == 1);
  CHECK(outcome.awards[0].task == TaskId{20});
  CHECK(flaw_of_certificate(problem, outcome) == "");
}

TEST_CASE("bertsekas equals optimal where sums need more than 64 bits on the way, and where costs tie") {
  Random random(41);
  for (const Micros most : {Micros{0}, one, max_score}) {
    Problem problem;
    for (std::uint64_t i = 1; i <= 60; ++i) problem.tasks.push_back({TaskId{i}});
    for (std::uint64_t j = 1; j <= 16; ++j) problem.agents.push_back({AgentId{j}, {0, one}});
    for (const ClearingTask& task : problem.tasks)
      for (const ClearingAgent& agent : problem.agents)
        problem.bids.push_back({task.id, agent.id, random.between(0, one), random.between(-most, most)});
    const Outcome outcome = bertsekas(problem);
    CHECK(flaw_of(problem, outcome) == "");
    CHECK(flaw_of_certificate(problem, outcome) == "");
    CHECK(outcome.total_cost == optimal(problem).total_cost);
  }
}
