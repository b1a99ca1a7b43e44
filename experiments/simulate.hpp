// One run of an experiment in a simulated world (runtime/sim/world.hpp). Pure: a function of the experiment
// and the cell.
#pragma once

#include "experiments/cells.hpp"
#include "experiments/facts.hpp"
#include "runtime/sim/world.hpp"

namespace bidboard {

/// `setting` is the cell's (setting_of), `bound` its lower_bound. `watcher` sees the
/// world. Errors: invalid (the board refuses the workload), failed.
Result<RunFacts> simulate(const Experiment& experiment, const Cell& cell, const Setting& setting,
                          double bound, sim::Observer* watcher = nullptr);

}  // namespace bidboard
