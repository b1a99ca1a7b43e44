// The results of an experiment, as stored in runs.jsonl and experiment.json. Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "blackboard/text/document.hpp"
#include "experiments/cells.hpp"
#include "experiments/facts.hpp"
#include "experiments/measures.hpp"

namespace bidboard {

/// What was compared (cells refer to these positions), with hypotheses and goals.
struct ExperimentNames {
  std::string name;
  std::string about;
  std::string mode;
  std::string baseline;
  std::uint64_t seeds = 0;
  std::vector<std::string> workloads;
  std::vector<std::string> agents;
  std::vector<std::uint64_t> agent_counts;
  std::vector<std::string> faults;
  std::vector<std::string> strategies;
  /// By group of agents: what it has in common with groups that differ from it in nothing but their number.
  std::vector<std::string> agent_kinds{};
  std::vector<Hypothesis> hypotheses{};
  std::vector<GoalSpec> goals{};
};
ExperimentNames names_of(const Experiment& experiment);
/// "8 agents and 1 killed".
std::string setting_name(const ExperimentNames& names, std::size_t agents, std::size_t faults);
/// How many runs the experiment has when it is complete.
std::size_t expected_runs(const ExperimentNames& names);
/// Whether it is a cell of the experiment.
bool has_place(const ExperimentNames& names, const Cell& cell);

struct RunRecord {
  Cell cell;
  Measured measured;
};

/// Whether every task was done.
bool is_finished(const RunRecord& run);
/// The measure, if it was measured and counts: a run that did not finish ended at a time limit, so that only
/// some of its measures do (Measure::always).
std::optional<double> value_of(const RunRecord& run, std::size_t measure);
/// A makespan that no schedule can have: the run was measured wrongly.
bool is_below_bound(const Measured& measured);

struct Results {
  ExperimentNames names;
  std::string made_by;  ///< version, commit and machine
  std::vector<RunRecord> runs;
  std::vector<std::string> warnings{};  ///< runs that could not be read or do not count

  /// The measure (value_of) in every run of one strategy in one setting, by workload and seed.
  using Key = std::pair<std::size_t, std::uint64_t>;  ///< workload, seed
  std::map<Key, double> values(std::size_t measure, std::size_t agents, std::size_t faults,
                               std::size_t strategy) const;
  /// What strategies are compared on: the workloads and seeds that all of them finished, except those that
  /// finished nothing in this setting.
  std::set<Key> compared(std::size_t agents, std::size_t faults) const;
};

/// The values under the keys that both have.
template <class Key>
void pair_up(const std::map<Key, double>& a, const std::map<Key, double>& b, std::vector<double>& of_a,
             std::vector<double>& of_b) {
  for (const auto& [key, value] : a)
    if (const auto other = b.find(key); other != b.end())
      of_a.push_back(value), of_b.push_back(other->second);
}

/// Position in measures(). REQUIRES: there is such a measure.
std::size_t measure_position(std::string_view name);

/// One line of runs.jsonl, and back. Errors: corrupt.
Value to_value(const ExperimentNames& names, const RunRecord& run);
Result<RunRecord> read_run(const Value& line);
Value to_value(const ExperimentNames& names);
Result<ExperimentNames> read_names(const Value& value);
/// Of a map: the text under the key, or the texts in its list; empty when there is none.
std::string text_of(const Value& value, std::string_view key);
std::vector<std::string> words_of(const Value& value, std::string_view key);
Value list_of(const std::vector<std::string>& words);
/// All runs: a header, then a row for each; missing measures are empty.
std::string to_csv(const Results& results);

}  // namespace bidboard
