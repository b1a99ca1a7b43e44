// The folder of an experiment's results. Edge code; for one thread at a time.
//
//   experiment.json  what was compared, on which machine   runs.jsonl   one line per finished run
//   gantt.jsonl      executions of the runs of seed 1      runs.csv, report.html   written at the end
//
// Every write is checked when it is made, and a file that is written as a whole is replaced at once, so that
// a full disk leaves the one before.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "experiments/experiment.hpp"
#include "experiments/gantt.hpp"
#include "experiments/results.hpp"

namespace bidboard {

/// Appends lines to a file.
class LineFile {
 public:
  /// Errors: storage.
  static Result<LineFile> open(const std::string& path);
  LineFile(LineFile&& other) noexcept;
  LineFile& operator=(LineFile&& other) noexcept;
  ~LineFile();
  /// Errors: storage, with the reason; the file is then as before, as far as the system allows it.
  Result<void> append(std::string line);

 private:
  LineFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

class ResultFolder {
 public:
  /// Takes up what the folder holds of the same experiment. Lines that cannot be read, a torn last one above
  /// all, are taken out and named in the results' warnings; their runs are missing then. Errors: conflict
  /// (the folder holds other runs), storage.
  static Result<std::unique_ptr<ResultFolder>> open(const Experiment& experiment, const std::string& path,
                                                    const std::string& made_by);

  bool has(const Cell& cell) const;
  std::size_t size() const { return done_.size(); }
  const std::vector<std::string>& warnings() const { return results_.warnings; }
  /// Errors: storage.
  Result<void> add(RunRecord run, const RunFacts& facts);
  Results take();

 private:
  ResultFolder(LineFile runs, LineFile gantt) : runs_(std::move(runs)), gantt_(std::move(gantt)) {}
  void keep(RunRecord run);

  Results results_;
  std::set<std::string> done_;
  LineFile runs_;
  LineFile gantt_;
};

/// Reads the results in a folder; lines that cannot be read are named in the warnings. Errors: not_found,
/// corrupt, storage.
Result<Results> read_results(const std::string& folder);
/// The Gantt chart of a run; the folder has those of seed 1. Errors: as read_results; not_found, with an
/// example.
Result<GanttChart> read_chart(const std::string& folder, const std::string& cell);
/// Writes runs.csv and report.html. Errors: storage.
Result<void> write_report(const std::string& folder, const Results& results);
/// Replaces a file by one with this text. Errors: storage, with the reason.
Result<void> write_file(const std::string& path, const std::string& text);

}  // namespace bidboard
