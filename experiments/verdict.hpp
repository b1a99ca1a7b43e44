// What the results say: each strategy against the best one of its setting, paired by workload and seed, and
// one paragraph that answers which strategy pays when. Pure.
#pragma once

#include <string>
#include <vector>

#include "experiments/results.hpp"
#include "experiments/statistics.hpp"

namespace bidboard {

/// One strategy in one setting, over all workloads and seeds.
struct Standing {
  std::size_t strategy = 0;
  Comparison to_bound;           ///< makespan / bound
  Comparison to_best;            ///< makespan against the best strategy of the setting
  Comparison to_baseline;        ///< makespan against the baseline
  bool as_good_as_best = false;  ///< it is the best, or the difference is noise after correction or below 1 %
  bool differs_from_baseline = false;
};
/// A crowd of agents under some faults.
struct SettingVerdict {
  std::size_t agents = 0;
  std::size_t faults = 0;
  std::vector<Standing> standings;  ///< best first; only strategies that were run
};
struct Verdict {
  std::vector<SettingVerdict> settings;
  std::size_t comparisons = 0;  ///< for which the p values are corrected
};

/// The same strategy in the same setting of two results, by their names.
struct Compared {
  std::string agents;
  std::string faults;
  std::string strategy;
  Comparison makespan;  ///< after / before, paired by workload and seed; p corrected
};
std::vector<Compared> compare_results(const Results& before, const Results& after);

/// p values are corrected over all comparisons of the experiment (Holm).
Verdict judge(const Results& results);
/// Which strategy pays when, in words. Names nothing but what the numbers say.
std::string answer(const Results& results, const Verdict& verdict);

}  // namespace bidboard
