// Runs the cells of an experiment (simulated ones on all cores) and stores their results in a folder, so that
// an interrupted experiment continues where it stopped. Edge code.
//
//   experiment.json  what was compared, on which machine   runs.jsonl   one line per finished run
//   gantt.jsonl      executions of the runs of seed 1      runs.csv, report.html   written at the end
#pragma once

#include <functional>
#include <string>

#include "experiments/experiment.hpp"
#include "experiments/results.hpp"

namespace bidboard {

struct RunnerOptions {
  std::string out;      ///< the folder
  std::string program;  ///< the bidboard binary, for live runs
  std::string source;   ///< text of the experiment file: results of another file are not mixed in
  std::string made_by;  ///< version, commit and machine, for the report
  unsigned threads = 2;
  std::function<bool()> stop = [] { return false; };  ///< asked between runs
  std::function<void(std::size_t done, std::size_t total, double seconds_left)> on_progress =
      [](std::size_t, std::size_t, double) {};
};

/// Errors: conflict (the folder holds another experiment's results), storage, those of a run.
Result<Results> run_experiment(const Experiment& experiment, const RunnerOptions& options);
/// Runs one cell; `facts` receives its facts.
Result<RunRecord> run_cell(const Experiment& experiment, const Cell& cell, const std::string& program,
                           RunFacts& facts);
/// Estimates the time of a run by running one: for --dry-run.
Result<double> seconds_per_run(const Experiment& experiment, const std::string& program);

/// Reads the results in a folder. Errors: not_found, corrupt.
Result<Results> read_results(const std::string& folder);
/// Writes runs.csv and report.html.
Result<void> write_report(const std::string& folder, const Results& results);

}  // namespace bidboard
