// The results of an experiment, as stored in runs.jsonl and experiment.json. Pure.
#pragma once

#include <map>
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
  std::vector<Hypothesis> hypotheses{};
  std::vector<GoalSpec> goals{};
};
ExperimentNames names_of(const Experiment& experiment);
/// "8 agents and 1 killed".
std::string setting_name(const ExperimentNames& names, std::size_t agents, std::size_t faults);

struct RunRecord {
  Cell cell;
  Measured measured;
};

struct Results {
  ExperimentNames names;
  std::string made_by;  ///< version, commit and machine
  std::vector<RunRecord> runs;

  /// The measure in every run of one strategy in one setting, by workload and seed. Runs without the
  /// measure are left out.
  using Key = std::pair<std::size_t, std::uint64_t>;  ///< workload, seed
  std::map<Key, double> values(std::size_t measure, std::size_t agents, std::size_t faults,
                               std::size_t strategy) const;
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
