// The job file: agents and tasks in YAML, for `bidboard run`.
//
//   name: audit
//   agents:
//     - {name: scout, count: 2, skills: {search: 1.0}, allow_run: true}
//   tasks:
//     scan: {run: "git ls-files", skills: [search], timeout: 60s}
//     lint: {run: "./lint.sh", needs: [scan], attempts: 2}
//
// A table lists every key with its default and meaning (job_file.cpp, agent_entry.cpp);
// job_file_reference() prints it.
#pragma once

#include <string>

#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// Errors: invalid, all findings at once: unknown keys and needs with the nearest known one, wrong values,
/// cycles spelled out, skills and commands that no agent of the file has or may run.
Result<Plan> read_job(const Value& document, std::string file, const KnownNames& known);

/// The keys of a job file in Markdown.
std::string job_file_reference();

}  // namespace bidboard
