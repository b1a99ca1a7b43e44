// Evaluates results: compares each strategy with the best one of its setting, paired by workload and seed,
// and writes a paragraph on which strategy is best where. Pure.
#pragma once

#include <string>
#include <vector>

#include "experiments/results.hpp"
#include "experiments/statistics.hpp"

namespace bidboard {

/// One strategy in one setting. Comparisons are over the workloads and seeds that all strategies finished
/// (Results::compared); without pairs, nothing can be compared.
struct Standing {
  std::size_t strategy = 0;
  std::size_t runs = 0;
  std::size_t finished = 0;  ///< of the runs
  bool finishes_less =
      false;            ///< significantly fewer runs than the strategy that finishes most (sign-flip, Holm)
  Comparison to_bound;  ///< makespan / bound
  Comparison to_best;   ///< makespan against the best strategy of the setting
  Comparison to_baseline;        ///< makespan against the baseline
  bool as_good_as_best = false;  ///< the best, or not significantly different after correction, or less than
                                 ///< 1 %, and finishes as many
  bool differs_from_baseline = false;
};
/// A group of agents with some faults.
struct SettingVerdict {
  std::size_t agents = 0;
  std::size_t faults = 0;
  std::vector<Standing> standings;  ///< best first; only strategies with runs

  std::size_t runs() const;
  std::size_t finished() const;
  bool has_comparisons() const { return standings.front().to_bound.pairs > 0; }
};
struct Verdict {
  std::vector<SettingVerdict> settings;
  std::size_t comparisons = 0;  ///< for which the p values are corrected
};

/// One strategy in one setting of two results, matched by name.
struct Compared {
  std::string agents;
  std::string faults;
  std::string strategy;
  Comparison makespan;  ///< after / before, paired by workload and seed; p corrected
  /// Of the runs that both results have.
  std::size_t runs = 0;
  std::size_t finished_before = 0;
  std::size_t finished_after = 0;
};
std::vector<Compared> compare_results(const Results& before, const Results& after);

/// p values are corrected over all comparisons of the experiment (Holm).
Verdict judge(const Results& results);
/// How many runs did not finish, then which strategy is best in which setting, in words.
std::string answer(const Results& results, const Verdict& verdict);

}  // namespace bidboard
