// Runs the cells of an experiment (simulated ones on all cores) and stores their results in a folder
// (result_folder.hpp), so that an interrupted experiment continues where it stopped. Edge code.
#pragma once

#include <functional>
#include <string>

#include "experiments/drivers/result_folder.hpp"
#include "experiments/experiment.hpp"
#include "experiments/results.hpp"

namespace bidboard {

struct RunnerOptions {
  std::string out;      ///< the folder
  std::string program;  ///< the bidboard binary, for live runs
  std::string made_by;  ///< version, commit and machine, for the report
  unsigned threads = 2;
  std::function<bool()> stop = [] { return false; };  ///< asked between runs
  /// What was wrong with the folder, before the first run.
  std::function<void(const std::string&)> on_warning = [](const std::string&) {};
  std::function<void(std::size_t done, std::size_t total, double seconds_left)> on_progress =
      [](std::size_t, std::size_t, double) {};
};

/// Ends with the first run that cannot be made or stored. Errors: as ResultFolder::open; those of a run.
Result<Results> run_experiment(const Experiment& experiment, const RunnerOptions& options);
/// Runs one cell; `facts` receives its facts. Errors: invalid (the workload is refused), failed.
Result<RunRecord> run_cell(const Experiment& experiment, const Cell& cell, const std::string& program,
                           RunFacts& facts);
/// How long the experiment takes on this machine, predicted from a few seconds of it: for --dry-run.
Result<double> predicted_seconds(const Experiment& experiment, const std::string& program, unsigned threads);

}  // namespace bidboard
