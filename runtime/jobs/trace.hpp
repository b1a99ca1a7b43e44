// Importer for recorded workflow executions in WfFormat 1.5 (WfCommons: Coleman et al., "WfCommons: a
// framework for enabling scientific workflow research and development", FGCS 128, 2022; schema at
// github.com/wfcommons/WfFormat). The older format with runtimes beside the parents (1.4 and before:
// workflow.tasks or workflow.jobs) is read too.
//
// Every traced task becomes a task: title = its name, name = its id, kind = its category, else its program,
// else its name without trailing number; size = its runtime in seconds; needs = its parents, together with
// every task that names it among its children. Machines, files and times of day are not used.
#pragma once

#include <string>

#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// Whether it is a map with the key `workflow`, which no job file has.
bool is_trace(const Value& document);

/// Errors: invalid, all findings at once: unknown parents and children with the nearest known task, duplicate
/// ids, missing or negative runtimes, cycles spelled out, wrong shapes.
Result<Plan> read_trace(const Value& document, std::string file);

}  // namespace bidboard
