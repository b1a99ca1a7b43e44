// One run of an experiment with real processes: a board of its own in a temporary folder, a controller and
// simulated agents, which wait as long as a task takes. Edge code; Linux (reads /proc).
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
