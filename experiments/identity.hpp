// What an experiment's runs depend on: results in a folder are continued only if it is the same. Names,
// seeds, the baseline, hypotheses and goals are no part of it. Pure.
#pragma once

#include <string>
#include <vector>

#include "experiments/experiment.hpp"

namespace bidboard {

/// For each part (mode, workloads, agents, faults, strategies) a hash of all that influences a run.
Value identity_of(const Experiment& experiment);
/// The parts that differ, in words: "agents and strategies". Empty: the runs are the same.
std::string differing_parts(const Value& before, const Value& now);

/// Whether both make the same tasks at every seed, whatever the tasks and files are called.
bool same_work(const WorkloadSpec& a, const WorkloadSpec& b);
bool same_agents(const AgentsSpec& a, const AgentsSpec& b);
bool same_faults(const FaultsSpec& a, const FaultsSpec& b);

}  // namespace bidboard
