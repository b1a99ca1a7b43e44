// Runs the cells of an experiment, simulated ones on all cores, and keeps what comes of it in a folder, so
// that a run that was cut off goes on where it stood. Edge code.
//
//   experiment.json  what was compared, on what machine   runs.jsonl   a run a line, as they end
//   gantt.jsonl      who did what when, of seed 1         runs.csv, report.html   written at the end
#pragma once

#include <functional>
#include <string>

#include "experiments/experiment.hpp"
#include "experiments/results.hpp"

namespace bidboard {

struct RunnerOptions {
  std::string out;      ///< the folder
  std::string program;  ///< the bidboard binary, for live runs
  std::string source;   ///< the experiment file's text: another one's results are not mixed with these
  std::string made_by;  ///< version, commit and machine, for the report
  unsigned threads = 2;
  std::function<bool()> stop = [] { return false; };  ///< asked between runs
  std::function<void(std::size_t done, std::size_t total, double seconds_left)> on_progress =
      [](std::size_t, std::size_t, double) {};
};

/// Errors: conflict (the folder holds another experiment's results), storage, those of a run.
Result<Results> run_experiment(const Experiment& experiment, const RunnerOptions& options);
/// One cell. `executions`: who did what when.
Result<RunRecord> run_cell(const Experiment& experiment, const Cell& cell, const std::string& program,
                           RunFacts& facts);
/// How long one run takes, by trying one: for --dry-run.
Result<double> seconds_per_run(const Experiment& experiment, const std::string& program);

/// What a folder holds. Errors: not_found, corrupt.
Result<Results> read_results(const std::string& folder);
/// runs.csv and report.html from what the folder holds.
Result<void> write_report(const std::string& folder, const Results& results);

}  // namespace bidboard
