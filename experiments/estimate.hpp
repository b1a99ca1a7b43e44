// Predicts how long an experiment takes from a sample of its runs. Pure: the driver measures the sample.
#pragma once

#include <vector>

#include "experiments/cells.hpp"

namespace bidboard {

/// A run that was measured, in seconds of one thread.
struct TimedRun {
  Cell cell;
  double run = 0;
  double ground = 0;  ///< what the strategies of a seed share: bound, HEFT, list scheduling
};

/// One cell of each combination of workload, agents, faults and strategy, shuffled: the first few of them
/// have something of everything.
std::vector<Cell> sample_order(const Experiment& experiment);

/// Seconds of all runs on so many threads. A combination that is not in the sample costs the product of a
/// factor for each of its four parts, by least squares on logarithms. REQUIRES: a sample that is not empty.
double predict_seconds(const Experiment& experiment, const std::vector<TimedRun>& sample, unsigned threads);

}  // namespace bidboard
