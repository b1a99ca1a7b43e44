// One run of an experiment with real processes: a temporary board, a controller, and simulated agents that
// wait for the duration of each task. Edge code; Linux (reads /proc).
#pragma once

#include <string>

#include "experiments/cells.hpp"
#include "experiments/facts.hpp"

namespace bidboard {

/// `program`: the bidboard binary; `setting` is the cell's (setting_of), `bound` its lower_bound.
/// Errors: of the processes started (unavailable, failed), timed_out.
Result<RunFacts> run_live(const std::string& program, const Experiment& experiment, const Cell& cell,
                          Setting setting, double bound);

}  // namespace bidboard
