#include "experiments/simulate.hpp"

#include <algorithm>
#include <map>

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
    CHECK(measured(experiment, cell, *facts, "redundant") == 0);
    CHECK(measured(experiment, cell, *facts, "retries") == 0);
    CHECK(facts->messages > 0);
    CHECK(facts->bytes > facts->messages);
    const Result<RunFacts> again = simulate(experiment, cell);
    CHECK(again->makespan == facts->makespan);
    CHECK(again->messages == facts->messages);
  }
}

TEST_CASE(
    "managers stand over all agents, each over no more than its span, and are counted as processes only") {
  std::vector<AgentProfile> agents(9);
  for (std::size_t i = 0; i < agents.size(); ++i) agents[i].name = "w" + std::to_string(i);
  std::map<std::string, std::size_t> leads_over;
  const auto count = [&](const std::vector<AgentProfile>& managers) {
    leads_over.clear();
    for (const AgentProfile& agent : agents) ++leads_over[agent.parent];
    for (const AgentProfile& manager : managers) ++leads_over[manager.parent];
    return managers.size();
  };
  CHECK(count(add_managers(agents, 0)) == 4);  // three of three, and the executive
  CHECK(leads_over ==
        std::map<std::string, std::size_t>{{"m1", 3}, {"m2", 3}, {"m3", 3}, {"m4", 3}, {"", 1}});
  CHECK(count(add_managers(agents, 4)) == 4);
  CHECK(leads_over ==
        std::map<std::string, std::size_t>{{"m1", 4}, {"m2", 4}, {"m3", 1}, {"m4", 3}, {"", 1}});
  CHECK(count(add_managers(agents, 2)) == 5 + 3 + 2 + 1);
  CHECK(count(add_managers(agents, 20)) == 1);

  const Experiment experiment = experiment_of("{count: 9}");
  Cell flat{0, 0, 0, 0, 1};
  Cell tree{0, 0, 0, 0, 1};
  while (experiment.strategies[flat.strategy].name != "central") ++flat.strategy;
  while (experiment.strategies[tree.strategy].name != "hierarchy") ++tree.strategy;
  const auto by_one = simulate(experiment, flat);
  const auto by_managers = simulate(experiment, tree);
  REQUIRE(by_one);
  REQUIRE(by_managers);
  CHECK(by_managers->processes == by_one->processes + 4);
  CHECK(by_managers->agents.size() == 9);
  CHECK(by_managers->managers_alive >= 4 * by_managers->makespan);
  CHECK(by_one->managers_alive == 0);
  CHECK(measured(experiment, tree, *by_managers, "agent_seconds") >= 13 * by_managers->makespan);
  // Two levels cost a task at most two delegations, each with its answer, and as many to tell of free slots.
  const double tasks = static_cast<double>(by_managers->tasks.size());
  CHECK(by_managers->messages - by_one->messages > 4 * tasks);
  CHECK(by_managers->messages - by_one->messages < 10 * tasks);
  CHECK(by_managers->makespan < 1.1 * by_one->makespan);
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

namespace {

/// When the fault of the cell begins, in seconds after the post.
double fault_at(const Experiment& experiment, const Cell& cell) {
  return lower_bound(setting_of(experiment, cell)) * from_micros(experiment.faults[cell.faults].at);
}
bool within(double moment, double from, double to) { return from < moment && moment < to; }

constexpr double on_its_way = 0.1;  ///< seconds in which what was said before a fault has arrived

void check_lost(const Experiment& experiment, const Cell& cell, const RunFacts& facts) {
  CHECK(within(measured(experiment, cell, facts, "lost"), 2, 9));
}
void check_controller_was_gone(const Experiment& experiment, const Cell& cell, const RunFacts& facts,
                               const RunFacts& undisturbed) {
  const double gone = fault_at(experiment, cell);
  const double back = gone + static_cast<double>(experiment.faults[cell.faults].down.us) / 1e6;
  const auto awarded = [&](const TaskFacts& t) { return within(t.awarded, gone, back); };
  CHECK(std::ranges::none_of(facts.tasks, awarded));
  CHECK(std::ranges::any_of(undisturbed.tasks, awarded));
}
void check_half_were_cut_off(const Experiment& experiment, const Cell& cell, const RunFacts& facts,
                             const RunFacts& undisturbed) {
  const double from = fault_at(experiment, cell) + on_its_way;
  const double to =
      from - on_its_way + static_cast<double>(experiment.faults[cell.faults].partition.us) / 1e6;
  const std::vector<std::uint32_t> victims = order_of_victims(setting_of(experiment, cell));
  const auto cut_off = [&](const ExecutionFacts& e) {
    return within(e.begin, from, to) && (e.agent == victims[0] || e.agent == victims[1]);
  };
  CHECK(measured(experiment, cell, facts, "lost") > 0);
  CHECK(std::ranges::none_of(facts.executions, cut_off));
  // One agent that does everything may be one of the others.
  if (experiment.strategies[cell.strategy].name != "single")
    CHECK(std::ranges::any_of(undisturbed.executions, cut_off));
}

}  // namespace

TEST_CASE(
    "messages are lost, the controller dies and half of the agents are cut off: each is felt, all is done") {
  const Experiment experiment =
      experiment_of("{count: 4}", "[none, {loss: 0.05}, {kill_controller: true}, {partition: 20s}]");
  for (std::size_t s = 0; s < experiment.strategies.size(); ++s) {
    const Result<RunFacts> undisturbed = simulate(experiment, {0, 0, 0, s, 1});
    REQUIRE(undisturbed.has_value());
    CHECK(measured(experiment, {0, 0, 0, s, 1}, *undisturbed, "lost") == 0);
    for (std::size_t f = 1; f < experiment.faults.size(); ++f) {
      const Cell cell{0, 0, f, s, 1};
      INFO(experiment.strategies[s].name << ", " << experiment.faults[f].name);
      const Result<RunFacts> facts = simulate(experiment, cell);
      REQUIRE(facts.has_value());
      CHECK(facts->finished);
      if (f == 1) check_lost(experiment, cell, *facts);
      if (f == 2) check_controller_was_gone(experiment, cell, *facts, *undisturbed);
      if (f == 3) check_half_were_cut_off(experiment, cell, *facts, *undisturbed);
    }
  }
}
