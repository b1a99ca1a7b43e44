// Peers without an arbiter: nothing is done twice while everybody hears everybody, and what is done twice
// otherwise is told and paid for.
#include "experiments/arbiterless.hpp"

#include <algorithm>

#include "experiments/measures.hpp"
#include "experiments/results.hpp"
#include "experiments/schedule.hpp"
#include "experiments/simulate.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Experiment experiment_with(const std::string& faults, const std::string& mode = "simulate") {
  const Result<Experiment> experiment =
      read_experiment("name: x\nmode: " + mode +
                          "\nseeds: 3\nworkloads: [{generate: layered, tasks: 60}]\nagents: [{count: 6}]\n"
                          "strategies: [{peer: without-arbiter}]\nfaults: [" +
                          faults + "]\n",
                      "x.yaml", {});
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  return *experiment;
}

RunFacts run(const Experiment& experiment, const Cell& cell) {
  const Setting setting = setting_of(experiment, cell);
  const Result<RunFacts> facts = simulate(experiment, cell, setting, lower_bound(setting));
  REQUIRE(facts.has_value());
  return *facts;
}

double redundant(const RunFacts& facts) {
  double seconds = 0;
  for (const ExecutionFacts& e : facts.executions)
    if (!e.useful) seconds += e.end - e.begin;
  return seconds;
}

std::size_t useful(const RunFacts& facts) {
  return static_cast<std::size_t>(std::ranges::count(facts.executions, true, &ExecutionFacts::useful));
}

}  // namespace

TEST_CASE("peers without an arbiter do everything once while nothing goes wrong") {
  const Experiment experiment = experiment_with("none");
  for (const Cell& cell : cells_of(experiment)) {
    const RunFacts facts = run(experiment, cell);
    CHECK(facts.finished);
    CHECK(facts.executions.size() == 60);
    CHECK(useful(facts) == 60);
    CHECK(facts.processes == 6);
    CHECK(facts.makespan >= lower_bound(setting_of(experiment, cell)) * 0.9999);
    // A run is a function of its cell.
    const RunFacts again = run(experiment, cell);
    CHECK(again.makespan == facts.makespan);
    CHECK(again.messages == facts.messages);
  }
}

TEST_CASE("no task begins before what it needs is finished somewhere") {
  const Experiment experiment = experiment_with("{loss: 0.2}");
  for (const Cell& cell : cells_of(experiment)) {
    const Setting setting = setting_of(experiment, cell);
    const RunFacts facts = run(experiment, cell);
    CHECK(facts.finished);
    for (const ExecutionFacts& e : facts.executions)
      for (const PlannedNeed& need : setting.plan.tasks[e.task].needs)
        CHECK(e.begin >= facts.tasks[need.task].finished);
  }
}

TEST_CASE("peers that are cut off from each other do work twice, and it is paid for") {
  const Experiment experiment = experiment_with("{partition: 60s, at: 0.2}");
  double twice = 0;
  for (const Cell& cell : cells_of(experiment)) {
    const RunFacts facts = run(experiment, cell);
    CHECK(facts.finished);
    CHECK(useful(facts) == 60);
    twice += redundant(facts);
    const auto value = measure_run(
        facts, yardsticks_of(experiment, cell, setting_of(experiment, cell)))[measure_position("redundant")];
    CHECK((value.value_or(0) > 0) == (redundant(facts) > 0));
  }
  CHECK(twice > 0);
}

TEST_CASE("what a killed peer held is begun again by another, without anybody to say so") {
  const Experiment experiment = experiment_with("{kill_agents: 2, at: 0.3}");
  for (const Cell& cell : cells_of(experiment)) {
    const RunFacts facts = run(experiment, cell);
    CHECK(facts.finished);
    REQUIRE(facts.failures.size() == 2);
    for (const FailureFacts& failure : facts.failures)
      if (failure.redistributed >= 0) CHECK(failure.redistributed - failure.at < 60);
    CHECK(redundant(facts) > 0);
  }
}

TEST_CASE("live agents have an arbiter") {
  const Result<Experiment> live = read_experiment(
      "name: x\nmode: live\nworkloads: [{generate: chain, tasks: 3}]\nagents: [{count: 2}]\n"
      "strategies: [{peer: without-arbiter}]\n",
      "x.yaml", {});
  REQUIRE_FALSE(live.has_value());
  CHECK(live.error().text.find("x.yaml:5") != std::string::npos);
  CHECK(live.error().text.find("use mode: simulate") != std::string::npos);
}
