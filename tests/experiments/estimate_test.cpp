#include "experiments/estimate.hpp"

#include <cmath>
#include <set>

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Experiment experiment_of() {
  const Result<Experiment> experiment = read_experiment(
      "name: x\nseeds: 20\nworkloads: [{generate: chain}, {generate: layered}, {generate: random}]\n"
      "agents: [{count: [2, 8, 32, 128]}]\nfaults: [none, {kill_agents: 1}]\n"
      "strategies: [fifo, central, list, peer, {auction: optimal, bids: live}]\n",
      "x.yaml", {});
  REQUIRE(experiment.has_value());
  return *experiment;
}

/// Strategies and agents make the difference, and live bids more so with many agents.
double cost_of(const Cell& cell) {
  const double strategy[] = {1, 1.2, 1.5, 6, 10};
  const double agents[] = {1, 3, 10, 35};
  const double together = cell.strategy == 4 && cell.agents == 3 ? 2 : 1;
  return 0.001 * strategy[cell.strategy] * agents[cell.agents] * static_cast<double>(1 + cell.workload) *
         together;
}

double predicted(const Experiment& experiment, std::size_t sampled) {
  std::vector<TimedRun> sample;
  for (const Cell& cell : sample_order(experiment))
    if (sample.size() < sampled) sample.push_back({cell, cost_of(cell), 0.01});
  return predict_seconds(experiment, sample, 2);
}

}  // namespace

TEST_CASE("a dry run said 12 s of an experiment that took 57: a few runs of a kind stood for all") {
  const Experiment experiment = experiment_of();
  double seconds = 0;
  for (const Cell& cell : cells_of(experiment)) seconds += cost_of(cell);
  // Two threads share a seed, and both compute what its strategies have in common.
  const double grounds = 3 * 4 * 2 * 20 * 2 * 0.01;
  const double expected = (seconds + grounds) / 2;
  CHECK(predicted(experiment, 1'000) == Approx(expected));
  for (const std::size_t sampled : {40u, 60u, 90u}) {
    INFO(sampled);
    CHECK(std::abs(std::log(predicted(experiment, sampled) / expected)) < std::log(4.0 / 3));
  }
}

TEST_CASE("a sample begins with something of everything") {
  const Experiment experiment = experiment_of();
  std::set<std::size_t> workloads, agents, strategies;
  const std::vector<Cell> order = sample_order(experiment);
  CHECK(order.size() == 3 * 4 * 2 * 5);
  for (std::size_t i = 0; i < 20; ++i) {
    workloads.insert(order[i].workload);
    agents.insert(order[i].agents);
    strategies.insert(order[i].strategy);
  }
  CHECK(workloads.size() == 3);
  CHECK(agents.size() == 4);
  CHECK(strategies.size() == 5);
}
