#include "experiments/simulate.hpp"

#include "experiments/results.hpp"
#include "experiments/schedule.hpp"
#include "runtime/coordination/strategy.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Experiment experiment_of(const std::string& agents, const std::string& faults = "[none]") {
  std::string strategies;
  for (const std::string& name : strategy_names()) strategies += (strategies.empty() ? "" : ", ") + name;
  const std::string text =
      "name: x\nworkloads: [{generate: layered, tasks: 60}, {generate: chain, tasks: 10}]\nagents: [" +
      agents + "]\nstrategies: [" + strategies + ", {auction: optimal, bids: live}]\nfaults: " + faults +
      "\n";
  const Result<Experiment> experiment = read_experiment(text, "x.yaml", {});
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  return *experiment;
}

Result<RunFacts> simulate(const Experiment& experiment, const Cell& cell) {
  const Setting setting = setting_of(experiment, cell);
  return bidboard::simulate(experiment, cell, setting, lower_bound(setting));
}

double measured(const Experiment& experiment, const Cell& cell, const RunFacts& facts, const char* name) {
  const auto value = measure_run(facts, yardsticks_of(experiment, cell, setting_of(experiment, cell)));
  return value[measure_position(name)].value_or(-1);
}

}  // namespace

TEST_CASE("every strategy does every task, none beats the bound, and a run is a function of its cell") {
  const Experiment experiment = experiment_of("{count: 4, speed: [1, 3]}");
  for (Cell cell : cells_of(experiment)) {
    if (cell.seed > 2) continue;
    INFO(name_of(cell) << " " << experiment.strategies[cell.strategy].name);
    const Result<RunFacts> facts = simulate(experiment, cell);
    REQUIRE(facts.has_value());
    CHECK(facts->finished);
    CHECK(measured(experiment, cell, *facts, "bound_ratio") > 0.9999);
    CHECK(measured(experiment, cell, *facts, "unfinished") == 0);
    CHECK(measured(experiment, cell, *facts, "redundant") == Approx(0).margin(1e-9));
    CHECK(measured(experiment, cell, *facts, "retries") == 0);
    CHECK(facts->messages > 0);
    CHECK(facts->bytes > facts->messages);
    const Result<RunFacts> again = simulate(experiment, cell);
    CHECK(again->makespan == facts->makespan);
    CHECK(again->messages == facts->messages);
  }
}

TEST_CASE("a killed agent is noticed, its work is done again and counted as redundant") {
  const Experiment experiment = experiment_of("{count: 4}", "[{kill_agents: 1, at: 0.3}]");
  for (std::size_t s = 0; s < experiment.strategies.size(); ++s) {
    if (experiment.strategies[s].name == "single") continue;  // the killed one may have been idle
    const Cell cell{0, 0, 0, s, 2};
    INFO(experiment.strategies[s].name);
    const Result<RunFacts> facts = simulate(experiment, cell);
    REQUIRE(facts.has_value());
    CHECK(facts->finished);
    REQUIRE(facts->failures.size() == 1);
    CHECK(measured(experiment, cell, *facts, "detect") >= 0);
    CHECK(measured(experiment, cell, *facts, "detect") < 1);
    CHECK(measured(experiment, cell, *facts, "retries") > 0);
    CHECK(measured(experiment, cell, *facts, "redundant") > 0);
    CHECK(measured(experiment, cell, *facts, "heft_ratio") > 0.8);
  }
}

TEST_CASE("a workload runs while messages are lost, the controller dies and half of the agents are cut off") {
  const Experiment experiment =
      experiment_of("{count: 4}", "[{loss: 0.05}, {kill_controller: true}, {partition: 20s}]");
  for (Cell cell : cells_of(experiment)) {
    if (cell.seed > 1 || cell.workload > 0) continue;
    INFO(name_of(cell) << " " << experiment.strategies[cell.strategy].name << ", "
                       << experiment.faults[cell.faults].name);
    const Result<RunFacts> facts = simulate(experiment, cell);
    REQUIRE(facts.has_value());
    CHECK(facts->finished);
  }
}
