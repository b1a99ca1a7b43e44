#include "experiments/drivers/result_folder.hpp"

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "experiments/drivers/runner.hpp"
#include "experiments/identity.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace bidboard;

namespace {

Experiment experiment_of(const std::string& strategies = "[fifo, central]", int seeds = 2,
                         const std::string& more = "") {
  const Result<Experiment> experiment = read_experiment(
      "name: x\nworkloads: [{generate: chain, tasks: 4}]\nagents: [{count: 2}]\nstrategies: " + strategies +
          "\nseeds: " + std::to_string(seeds) + "\n" + more,
      "x.yaml", {});
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  return *experiment;
}

struct Run {
  Result<Results> results = fail(Errc::failed, "not run");
  std::vector<std::string> warnings;
  std::size_t made = 0;  ///< runs
};

Run run(const Experiment& experiment, const std::string& out) {
  Run run;
  RunnerOptions options;
  options.out = out;
  options.threads = 1;
  options.on_warning = [&](const std::string& text) { run.warnings.push_back(text); };
  options.on_progress = [&](std::size_t, std::size_t, double) { ++run.made; };
  run.results = run_experiment(experiment, options);
  return run;
}

std::string text_of_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}
void write(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << text;
}
bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

/// Files cannot grow beyond so many bytes while it lives.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) : signal_(::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    ::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
};

}  // namespace

TEST_CASE("the next run was glued to a torn last line, and the report used one run less without a word") {
  const TempDir folder;
  const std::string runs = folder.path() + "/runs.jsonl";
  REQUIRE(run(experiment_of(), folder.path()).results.has_value());
  const std::string whole = text_of_file(runs);
  for (const std::size_t cut : {std::size_t{1}, std::size_t{30}}) {
    write(runs, whole.substr(0, whole.size() - cut));
    const auto torn = read_results(folder.path());
    REQUIRE(torn.has_value());
    // Only the line's end is lost: the run is there.
    CHECK(torn->runs.size() == (cut == 1 ? 4 : 3));
    CHECK(torn->warnings.size() == (cut == 1 ? 0 : 1));
    const Run again = run(experiment_of(), folder.path());
    REQUIRE(again.results.has_value());
    CHECK(again.results->runs.size() == 4);
    CHECK(again.made == (cut == 1 ? 0 : 1));
    REQUIRE(again.warnings.size() == (cut == 1 ? 0 : 1));
    if (cut > 1)
      CHECK(again.warnings[0] == runs + ":4 does not count: it is cut off; the line was taken out");
    CHECK(read_results(folder.path())->runs.size() == 4);
    CHECK(read_results(folder.path())->warnings.empty());
  }
}

TEST_CASE("a line that cannot be read is named, and its run is made again") {
  const TempDir folder;
  const std::string runs = folder.path() + "/runs.jsonl";
  REQUIRE(run(experiment_of(), folder.path()).results.has_value());
  std::string text = text_of_file(runs);
  text.replace(text.find("w0.a0.f0.s1.1"), 13, "w0.a7.f0.s1.1");
  write(runs, text);
  const auto results = read_results(folder.path());
  REQUIRE(results.has_value());
  REQUIRE(results->warnings.size() == 1);
  CHECK(results->warnings[0] == runs + ":2 does not count: there is no cell w0.a7.f0.s1.1");
  REQUIRE(write_report(folder.path(), *results).has_value());
  CHECK(says(text_of_file(folder.path() + "/report.html"), "3 of 4 runs"));
  CHECK(says(text_of_file(folder.path() + "/report.html"), "there is no cell w0.a7.f0.s1.1"));
  const Run again = run(experiment_of(), folder.path());
  CHECK(again.made == 1);
  CHECK(again.results->runs.size() == 4);
}

TEST_CASE("a run below its bound does not count") {
  const TempDir folder;
  const std::string runs = folder.path() + "/runs.jsonl";
  REQUIRE(run(experiment_of(), folder.path()).results.has_value());
  std::string text = text_of_file(runs);
  const std::size_t at = text.find("\"bound_ratio\":") + 14;
  text.replace(at, text.find(',', at) - at, "2e-8");
  write(runs, text);
  const auto results = read_results(folder.path());
  REQUIRE(results.has_value());
  CHECK(results->runs.size() == 3);
  CHECK(says(results->warnings.at(0), ":1 does not count: its makespan is below the bound of any schedule"));
}

TEST_CASE("the runs of seed 1 have charts, with a row for each agent") {
  const TempDir folder;
  CHECK(read_chart(folder.path(), "w0.a0.f0.s0.1").error().code == Errc::not_found);
  REQUIRE(run(experiment_of("[single]"), folder.path()).results.has_value());
  const Result<GanttChart> chart = read_chart(folder.path(), "w0.a0.f0.s0.1");
  REQUIRE(chart.has_value());
  CHECK(chart->rows == std::vector<std::string>{"w1", "w2"});
  CHECK(chart->bars.size() == 4);
  CHECK(says(read_chart(folder.path(), "w0.a0.f0.s0.2").error().text, "such as w0.a0.f0.s0.1"));
}

TEST_CASE("more seeds were taken for another experiment") {
  const TempDir folder;
  REQUIRE(run(experiment_of("[fifo, central]", 2), folder.path()).made == 4);
  const Run more =
      run(experiment_of("[fifo, central]", 4, "about: More of it\nbaseline: central\n"), folder.path());
  INFO((more.results ? "" : more.results.error().text));
  REQUIRE(more.results.has_value());
  CHECK(more.made == 4);
  CHECK(more.results->runs.size() == 8);
  CHECK(more.results->names.seeds == 4);
  // Fewer again: the others stay in the file, but not in the results.
  const Run fewer = run(experiment_of("[fifo, central]", 1), folder.path());
  CHECK(fewer.made == 0);
  CHECK(fewer.results->runs.size() == 2);
  CHECK(read_results(folder.path())->runs.size() == 2);
  CHECK(run(experiment_of("[fifo, central]", 4), folder.path()).made == 0);
}

TEST_CASE("other runs are refused, with what differs") {
  const TempDir folder;
  REQUIRE(run(experiment_of(), folder.path()).results.has_value());
  const Run other = run(experiment_of("[fifo, {auction: optimal}]"), folder.path());
  REQUIRE_FALSE(other.results.has_value());
  CHECK(other.results.error().code == Errc::conflict);
  CHECK(says(other.results.error().text, "the results of another experiment (other strategies)"));
  CHECK(other.made == 0);
  // Any key that influences a run makes another experiment.
  const Value identity = identity_of(experiment_of());
  const auto differs = [&](const std::string& more, const std::string& strategies = "[fifo, central]") {
    return differing_parts(identity, identity_of(experiment_of(strategies, 2, more)));
  };
  CHECK(differs("") == "");
  CHECK(differs("mode: live\n") == "mode");
  CHECK(differs("", "[fifo, {hierarchy: 3}]") == "strategies");
  // Each entry and the next differ in one key.
  const auto distinct = [](const std::string& part, const std::vector<std::string>& entries) {
    std::set<std::string> seen;
    for (const std::string& entry : entries) {
      const std::string text = "name: x\nseeds: 1\n" + entry + "\n" +
                               (part == "workloads" ? "" : "workloads: [{generate: chain}]\n") +
                               (part == "strategies" ? "" : "strategies: [fifo]\n");
      const Result<Experiment> experiment = read_experiment(text, "x.yaml", {});
      INFO(entry << (experiment ? "" : experiment.error().text));
      REQUIRE(experiment.has_value());
      CHECK(seen.insert(to_json(*identity_of(*experiment).find(part))).second);
    }
  };
  distinct("workloads", {"workloads: [{generate: chain}]", "workloads: [{generate: layered}]",
                         "workloads: [{generate: chain, tasks: 7}]",
                         "workloads: [{generate: chain, tasks_per_agent: 7}]"});
  distinct("agents", {"agents: [{count: 4}]", "agents: [{count: 5}]", "agents: [{count: 4, speed: 2}]",
                      "agents: [{count: 4, speed: [1, 2]}]", "agents: [{count: 4, capacity: 2}]",
                      "agents: [{count: 4, skills: specialised}]", "agents: [{count: 4, error: 0.2}]",
                      "agents: [{count: 4, liars: 0.2}]"});
  distinct("faults", {"faults: [none]", "faults: [{kill_agents: 1}]", "faults: [{kill_agents: 1, at: 0.25}]",
                      "faults: [{kill_controller: true}]", "faults: [{kill_controller: true, down: 9s}]",
                      "faults: [{loss: 0.1}]", "faults: [{partition: 9s}]"});
  distinct("strategies", {"strategies: [fifo]", "strategies: [hierarchy]", "strategies: [{hierarchy: 3}]",
                          "strategies: [peer]", "strategies: [{peer: without-arbiter}]",
                          "strategies: [{auction: sequential}]", "strategies: [{auction: optimal}]",
                          "strategies: [{auction: optimal, bids: live}]",
                          "strategies: [{auction: optimal, calibrate: false}]"});
}

TEST_CASE("an experiment computed hundreds of runs that it could not write") {
  const TempDir folder;
  const Experiment experiment = experiment_of("[fifo, central]", 50);
  {
    const SmallDisk disk(4'096);
    const Run full = run(experiment, folder.path());
    REQUIRE_FALSE(full.results.has_value());
    CHECK(full.results.error().code == Errc::storage);
    CHECK(says(full.results.error().text, "cannot write " + folder.path() + "/runs.jsonl: File too large"));
    CHECK(full.made < 20);
  }
  const Run again = run(experiment, folder.path());
  REQUIRE(again.results.has_value());
  CHECK(again.warnings.empty());
  CHECK(again.results->runs.size() == 100);
}

TEST_CASE("a full disk leaves the description and the report as they were") {
  const TempDir folder;
  REQUIRE(run(experiment_of(), folder.path()).results.has_value());
  const std::string described = text_of_file(folder.path() + "/experiment.json");
  const std::string report = text_of_file(folder.path() + "/report.html");
  {
    const SmallDisk disk(64);
    CHECK(run(experiment_of(), folder.path()).results.error().code == Errc::storage);
    CHECK(write_report(folder.path(), *read_results(folder.path())).error().code == Errc::storage);
  }
  CHECK(text_of_file(folder.path() + "/experiment.json") == described);
  CHECK(text_of_file(folder.path() + "/report.html") == report);
  CHECK(run(experiment_of(), folder.path()).results.has_value());
}

TEST_CASE("a workload that the board refuses had a makespan of half a millisecond") {
  Experiment experiment = experiment_of();
  Plan& plan = experiment.workloads[0].trace;
  experiment.workloads[0].shape = Shape::trace;
  PlannedTask task;
  task.spec.name = task.spec.title = "split";
  task.spec.size = 800LL * 24 * 3'600 * one;  // more than a board takes
  plan.tasks.push_back(task);
  measure(plan);
  const TempDir folder;
  const Run refused = run(experiment, folder.path());
  REQUIRE_FALSE(refused.results.has_value());
  CHECK(refused.results.error().code == Errc::invalid);
  CHECK(says(refused.results.error().text, "workload chain 4: the board refused it: task 'split'"));
  CHECK(text_of_file(folder.path() + "/runs.jsonl").empty());
}
