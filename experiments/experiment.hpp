// An experiment file: which strategies are compared, on which workloads and agents, with how many seeds. The
// reader reports all findings at once, each with its line; every key has a row with its default and meaning
// in experiment.cpp.
//
//   name: tour
//   mode: simulate
//   seeds: 20
//   workloads: [{trace: traces/*.json}, {generate: fork-join, tasks: 200}]
//   agents: [{count: 8}, {count: 8, speed: [0.5, 2.0]}]
//   strategies: [single, fifo, {auction: optimal}]
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "blackboard/text/document.hpp"
#include "experiments/faults.hpp"
#include "experiments/questions.hpp"
#include "experiments/workload.hpp"
#include "runtime/jobs/diagnostics.hpp"

namespace bidboard {

enum class Mode : std::uint8_t { simulate, live };

/// A group of agents. Speeds and skills of each agent depend on the seed.
struct AgentsSpec {
  std::string name;  ///< composed from what differs from the defaults, unless given
  std::uint32_t count = 4;
  Micros slowest = one;  ///< speeds are uniform between these
  Micros fastest = one;
  std::uint32_t capacity = 1;
  bool specialised = false;  ///< each has one or two of up to four skills, and each task needs one
  Micros error = 0;          ///< true durations differ from estimates by up to this share, uniformly
  Micros liars = 0;          ///< share of agents that promise half of what they need
  Place place;
};

struct StrategySpec {
  std::string name;  ///< as the report calls it: "fifo", "auction optimal live"
  std::string strategy;
  std::string mechanism = "sequential";
  bool live_bids = false;  ///< agents compute their bids when asked; else the controller does
  bool calibrate = true;
  std::uint32_t span = 0;         ///< hierarchy: most members per manager; 0: sqrt(agents), rounded up
  bool arbiter = true;            ///< false: `peer` without a controller (arbiterless.hpp)
  bool tells_outages = true;      ///< false: an outage of an account is a failure like any other
  std::uint32_t attempts = 0;     ///< per task; 0: as the workload says
  std::uint32_t running_max = 0;  ///< tasks at once per account; 0: no limit
  Place place;
};

struct Experiment {
  std::string name;
  std::string about;  ///< one paragraph for the report
  Mode mode = Mode::simulate;
  std::uint32_t seeds = 10;
  std::string baseline;  ///< strategy that others are compared with; empty: the first
  Micros scale = 0;      ///< live: seconds per traced second; 0: the critical path takes 5 s
  std::vector<WorkloadSpec> workloads;
  std::vector<AgentsSpec> agents;
  std::vector<StrategySpec> strategies;
  std::vector<FaultsSpec> faults;
  std::vector<Hypothesis> hypotheses;
  std::vector<GoalSpec> goals;
  std::vector<std::string> notes;  ///< workloads that were left out because they are there already
};
/// "8 agents, speed 0.5 to 2": what the group is called unless its entry has a name.
std::string composed_name(const AgentsSpec& spec);

/// Access to the files that an experiment file refers to.
struct ExperimentSurroundings {
  /// Files that match a path with `*` or `?`, or all workflows (.json, .dot, .gv, .stg) of a folder, sorted;
  /// relative to the experiment file.
  std::function<std::vector<std::string>(const std::string& pattern)> find;
  std::function<Result<std::string>(const std::string& file)> read;
  bool full = false;  ///< `full:` replaces keys of the file: more seeds, more agents
};

/// Errors: invalid, every finding "file:line:column: what; fix".
Result<Experiment> read_experiment(std::string_view text, const std::string& file,
                                   const ExperimentSurroundings& surroundings);
/// The keys in Markdown.
std::string experiment_reference();

}  // namespace bidboard
