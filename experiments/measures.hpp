// The measures of a run. Each has a formula; the table in docs/metrics.md is printed from them. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "experiments/cells.hpp"
#include "experiments/facts.hpp"

namespace bidboard {

struct Measure {
  std::string_view name;  ///< in files
  std::string_view title;
  std::string_view unit;
  std::string_view formula;
  enum class Better : std::uint8_t { lower, higher, neither } better = Better::lower;
  bool always = false;  ///< counts in runs that did not finish too
};
const std::vector<Measure>& measures();
/// Of ratios ("×") means are geometric, of all other measures arithmetic.
bool is_geometric(const Measure& measure);
/// REQUIRES: at least one value; of ratios, positive ones.
double mean(const Measure& measure, const std::vector<double>& values);
/// The table in Markdown.
std::string measures_reference();

/// Reference makespans of a run, the same for all strategies of a setting.
struct Yardsticks {
  double bound = 0;  ///< schedule.hpp
  double list = 0;   ///< list scheduling; 0: agents differ in speed, or are killed
  double heft = 0;   ///< with a new plan after deaths; 0: too large to compute
};
Yardsticks yardsticks_of(const Experiment& experiment, const Cell& cell, const Setting& setting);

/// By position in measures(); empty: not measured in this run.
using Measured = std::vector<std::optional<double>>;
Measured measure_run(const RunFacts& facts, const Yardsticks& yardsticks);

}  // namespace bidboard
