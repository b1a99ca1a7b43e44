// References for schedules: a lower bound of the makespan, and HEFT and list scheduling with perfect
// knowledge. Pure; seconds are doubles, since nothing is decided by them.
#pragma once

#include <vector>

#include "experiments/cells.hpp"

namespace bidboard {

/// No schedule of the plan on these agents is shorter: the largest, over all heads h and tails t, of
///   h + (work of the tasks that have at least h before and at least t behind them) / capacity + t,
/// where heads and tails are measured at the fastest agent's speed, and capacity is the sum of speed × slots
/// (the argument of Fernandez and Bussell, "Bounds on the number of processors and time for multiprocessor
/// optimal schedules", IEEE Trans. Computers C-22, 1973, with classes of tasks instead of intervals). It is
/// never below the critical path nor below work / capacity. Where true durations differ from the estimates
/// (Setting::error), the agent counts on which a task takes least.
double lower_bound(const Setting& setting);

/// The makespan of HEFT (Topcuoglu, Hariri and Wu, "Performance-effective and low-complexity task scheduling
/// for heterogeneous computing", IEEE TPDS 13, 2002): tasks by upward rank, each to the slot where it
/// finishes first, idle gaps included; no communication costs. It knows the true seconds.
double heft_makespan(const Setting& setting);

/// The makespan of list scheduling (Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Applied
/// Mathematics 17, 1969) by bottom levels: whenever an agent is free, it takes the ready task with the
/// heaviest chain behind it. It knows the true seconds. REQUIRES: agents of one speed.
double list_makespan(const Setting& setting);

/// heft_makespan if the agents `dead` die at `at`: finished tasks count, the running tasks of the dead agents
/// start again, and all tasks that had not begun get a new plan. The reference for failures.
double heft_replanned(const Setting& setting, const std::vector<std::size_t>& dead, double at);

}  // namespace bidboard
