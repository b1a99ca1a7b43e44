#include "experiments/experiment.hpp"

#include <map>

#include "experiments/cells.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const std::map<std::string, std::string> files{
    {"traces/a.json", R"({"name": "a", "workflow": {"specification": {"tasks": [
        {"name": "x", "id": "x", "parents": [], "children": []}]},
        "execution": {"tasks": [{"id": "x", "runtimeInSeconds": 3}]}}})"},
    {"traces/c.json", R"({"name": "another name", "workflow": {"specification": {"tasks": [
        {"name": "x", "id": "x1", "parents": [], "children": []}]},
        "execution": {"tasks": [{"id": "x1", "runtimeInSeconds": 3}]}}})"},
    {"more/a.json", R"({"name": "a", "workflow": {"specification": {"tasks": [
        {"name": "x", "id": "x", "parents": [], "children": []}]},
        "execution": {"tasks": [{"id": "x", "runtimeInSeconds": 4}]}}})"},
    {"graphs/g.dot", "digraph g { a -> b; a [seconds=3] }"},
    {"traces/broken.json", R"({"name": "b", "workflow": {"specification": {"tasks": [
        {"name": "x", "id": "x", "parents": [], "children": []}]},
        "execution": {"tasks": [{"id": "x", "runtimeInSeconds": -3}]}}})"}};

ExperimentSurroundings surroundings(bool full = false) {
  return {[](const std::string& pattern) {
            std::vector<std::string> found;
            for (const auto& [name, text] : files)
              if (name.starts_with(pattern.substr(0, pattern.find('*')))) found.push_back(name);
            return found;
          },
          [](const std::string& file) -> Result<std::string> { return files.at(file); }, full};
}

Result<Experiment> read(const std::string& text, bool full = false) {
  return read_experiment(text, "e.yaml", surroundings(full));
}

std::string findings(const std::string& text) {
  const Result<Experiment> experiment = read(text);
  REQUIRE_FALSE(experiment.has_value());
  CHECK(experiment.error().code == Errc::invalid);
  return experiment.error().text;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

const std::string good =
    "name: tour\nseeds: 20\nworkloads: [{trace: traces/a.json}, {generate: fork-join, tasks: 50}]\n"
    "agents: [{count: [2, 8]}, {count: 8, speed: [0.5, 2.0]}]\n"
    "strategies: [single, fifo, {auction: optimal}]\nfull: {seeds: 100}\n";

}  // namespace

TEST_CASE("an experiment file names every combination") {
  const Result<Experiment> experiment = read(good);
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  CHECK(experiment->workloads.size() == 2);
  CHECK(experiment->agents.size() == 3);
  CHECK(experiment->agents[2].name == "8 agents, speed 0.5 to 2");
  CHECK(experiment->strategies[2].name == "auction optimal");
  CHECK(experiment->faults.size() == 1);
  CHECK(experiment->baseline == "single");
  const std::vector<Cell> cells = cells_of(*experiment);
  CHECK(cells.size() == 2 * 3 * 20 * 3);
  for (const Cell& cell : cells) CHECK(*parse_cell(*experiment, name_of(cell)) == cell);
  CHECK(parse_cell(*experiment, "w9.a0.f0.s0.1").error().code == Errc::not_found);
  CHECK(read(good, true)->seeds == 100);
}

TEST_CASE("a hierarchy may say how many each manager leads") {
  const auto experiment =
      read("name: x\nworkloads: [{generate: chain}]\nstrategies: [hierarchy, {hierarchy: 4}]\n");
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  CHECK(experiment->strategies[0].name == "hierarchy");
  CHECK(experiment->strategies[0].span == 0);
  CHECK(experiment->strategies[1].name == "hierarchy of 4");
  CHECK(experiment->strategies[1].span == 4);
}

TEST_CASE("what is wrong with an experiment file is told with line and fix before anything runs") {
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [fifoo]\n"),
             "e.yaml:3:14: strategy: 'fifoo' is not known; did you mean 'fifo'?"));
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [{auction: best}]\n"),
             "e.yaml:3:"));
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [{hierarchy: 1}]\n"),
             "e.yaml:3:26: strategy: 'hierarchy' must be a whole number from 2"));
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nagents: [{count: 0}]\nstrategies: [fifo]\n"),
             "e.yaml:3:18: agents: 'count' must be a whole number from 1"));
  CHECK(says(findings("name: x\nworkloads: [{trace: traces/broken.json}]\nstrategies: [fifo]\n"), "runtime"));
  CHECK(says(findings("name: x\nworkloads: [{trace: elsewhere/*.json}]\nstrategies: [fifo]\n"),
             "e.yaml:2:21: no trace matches 'elsewhere/*.json'"));
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [fifo, fifo]\n"),
             "is defined twice"));
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [fifo]\nbaseline: central\n"),
             "baseline 'central' is not one of the strategies"));
  CHECK(says(findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [fifo]\nagents: [{count: 2}]\n"
                      "faults: [{kill_agents: 2}]\n"),
             "kills 2 of 2 agents: no agent is left to finish the work"));
  const std::string live = findings(
      "name: x\nmode: live\nworkloads: [{generate: chain}]\nstrategies: [fifo]\n"
      "agents: [{count: 201}, {count: 2, error: 0.5}]\nfaults: [{kill_controller: true}, {loss: 0.1}]\n");
  CHECK(says(live, "e.yaml:5:10: 201 live agents are too many processes"));
  CHECK(says(live, "e.yaml:5:24: live agents take exactly the estimated time"));
  CHECK(says(live, "e.yaml:6:10: in live runs the only possible fault is kill_agents"));
  CHECK(says(live, "e.yaml:6:35: in live runs the only possible fault is kill_agents"));
  CHECK(says(findings("name: x\nstrategies: [fifo]\nseedz: 3\n"), "did you mean 'seeds'?"));
  CHECK(says(findings("name: x\nstrategies: [fifo]\n"), "an experiment needs workloads"));
  CHECK(says(findings("[1, 2]"), "e.yaml:1:1"));
}

TEST_CASE("the same work under two names, or from two patterns, counted as two measurements") {
  const auto experiment = read(
      "name: x\nstrategies: [fifo]\nworkloads: [{trace: traces/a.json}, {trace: traces/a.json, name: again}, "
      "{trace: "
      "traces/c.json},\n  {generate: chain, tasks: 9}, {generate: chain, tasks: 9, name: other}, {trace: "
      "more/a.json}, "
      "{trace: graphs/g.dot}]\n");
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  std::vector<std::string> names;
  for (const WorkloadSpec& workload : experiment->workloads) names.push_back(workload.name);
  CHECK(names == std::vector<std::string>{"a", "chain 9", "a (2)", "g"});
  CHECK(experiment->notes ==
        std::vector<std::string>{"'traces/a.json' is the same work as workload 'a', and is left out",
                                 "'traces/c.json' is the same work as workload 'a', and is left out",
                                 "'other' is the same work as workload 'chain 9', and is left out"});
  CHECK(says(
      findings("name: x\nworkloads: [{generate: chain}]\nstrategies: [fifo]\nagents: [{count: 2}, {count: 2, "
               "name: pair}]\n"),
      "e.yaml:4:22: 'pair' is the same as '2 agents'; remove one of them"));
  CHECK(says(
      findings(
          "name: x\nworkloads: [{generate: chain}]\nstrategies: [fifo]\nfaults: [{loss: 0.1}, {loss: 0.1, "
          "name: losses}]\n"),
      "'losses' is the same as '10 % of messages lost'"));
}

TEST_CASE("traces that are optional may be absent") {
  const auto experiment = read(
      "name: x\nworkloads: [{trace: elsewhere/*.json, optional: true}, {generate: chain}]\nstrategies: "
      "[fifo]\n");
  REQUIRE(experiment.has_value());
  CHECK(experiment->workloads.size() == 1);
}

TEST_CASE("a workload is a function of its seed, has about the tasks asked for and no cycle") {
  for (const Shape shape :
       {Shape::chain, Shape::fork_join, Shape::layered, Shape::random, Shape::coding_project})
    for (const std::uint32_t tasks : {1u, 7u, 100u, 1'000u}) {
      INFO(name(shape) << " " << tasks);
      WorkloadSpec spec{"w", shape, tasks, false, {}};
      const Plan plan = make_workload(spec, 5);
      CHECK(plan.tasks.size() >= std::min<std::size_t>(tasks, 3));
      CHECK(plan.tasks.size() <= tasks + 8);
      for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
        CHECK(plan.tasks[i].spec.size > 0);
        for (const PlannedNeed& need : plan.tasks[i].needs) CHECK(need.task < i);
      }
      CHECK(make_workload(spec, 5).total_work == plan.total_work);
      if (tasks > 1) CHECK(make_workload(spec, 6).total_work != plan.total_work);
    }
}

TEST_CASE("all strategies of a seed meet the same agents, workload and true durations; another seed others") {
  const Result<Experiment> experiment = read(
      "name: x\nworkloads: [{generate: random, tasks: 30}]\nagents: [{count: 6, speed: [1, 4], error: 0.5, "
      "skills: specialised}]\nstrategies: [fifo, central]\n");
  REQUIRE(experiment.has_value());
  const Setting one_seed = setting_of(*experiment, {0, 0, 0, 0, 3});
  const Setting same = setting_of(*experiment, {0, 0, 0, 1, 3});
  const Setting other = setting_of(*experiment, {0, 0, 0, 0, 4});
  CHECK(one_seed.agents == same.agents);
  CHECK(one_seed.agents != other.agents);
  bool differs = false;
  for (std::size_t t = 0; t < one_seed.plan.tasks.size(); ++t) {
    const TaskSpec& spec = one_seed.plan.tasks[t].spec;
    CHECK(spec == same.plan.tasks[t].spec);
    CHECK(spec.skills.size() == 1);
    for (std::size_t a = 0; a < 6; ++a) {
      CHECK(one_seed.true_seconds(spec, a) == same.true_seconds(spec, a));
      const double share = from_micros(
          div_micros(one_seed.true_seconds(spec, a), div_micros(spec.size, one_seed.agents[a].speed)));
      CHECK(share >= 0.499);
      CHECK(share <= 1.501);
      differs = differs || std::abs(share - 1) > 0.2;
    }
  }
  CHECK(differs);
}
