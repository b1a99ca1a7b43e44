// What the blocks of the benchmark share: a temporary folder, programs run in it, boards with agents, a probe
// of the raw disk, and the statistics of a figure. Edge code, Linux.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "blackboard/messages.hpp"
#include "experiments/bench/bench.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard::bench {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begun);

/// A folder in which one block measures; gone with it.
class Workspace {
 public:
  Workspace();
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;
  const std::string& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const;

 private:
  std::string path_;
};

struct Ran {
  std::string output;
  double seconds = 0;
};
/// Runs the program in the folder and takes its stdout. Errors: unavailable, failed (its exit was not 0).
Result<Ran> run(const std::string& program, const std::string& folder, std::vector<std::string> arguments);

/// Median, least and most of the values. REQUIRES: at least one.
Figure figure(std::string name, std::string unit, std::vector<double> values, std::string goal = {});
/// Elementwise a / b: a ratio within each round, so that what slows a round down slows both.
std::vector<double> ratios(const std::vector<double>& a, const std::vector<double>& b);

/// Durable 32 KB writes per second in the folder, for a fifth of a second: what the disk gives without us.
double probe_disk(const std::string& folder);

/// CPU time so far of a process and all its descendants, in seconds.
double cpu_seconds_of(const std::vector<pid_t>& family);
std::vector<pid_t> family_of(pid_t root);
/// Memory of a process in MB: what is its own, and the pages of mapped files (the board) that it has touched,
/// which the system may take back. Zeros when it is gone.
struct Memory {
  double own = 0;
  double mapped = 0;
};
Memory memory_of(pid_t pid);

/// How a live board is set up.
struct LiveOptions {
  std::string strategy = "fifo";
  int agents = 4;
  int capacity = 1;
  bool asked = false;  ///< agents answer each announcement themselves; else the controller works bids out
  bool durable = true;
};

/// A board with a controller and simulated agents as processes of their own; taken down with the object.
class LiveBoard {
 public:
  static Result<std::unique_ptr<LiveBoard>> start(const BenchOptions& bench, const LiveOptions& options);
  /// `settings`: the text of its bidboard.yaml.
  static Result<std::unique_ptr<LiveBoard>> start(const std::string& program, const std::string& settings);
  ~LiveBoard();

  const BoardDirectory& directory() const { return directory_; }
  pid_t supervisor() const { return supervisor_; }
  Result<pid_t> controller() const;
  /// Posts so many tasks of `size` simulated seconds.
  Result<void> post(std::int64_t count, Micros size = 0) const;
  Result<void> post(Post tasks) const;
  /// Waits until all posted tasks are over, and reads them.
  Result<std::vector<Task>> finished(std::int64_t count) const;

 private:
  LiveBoard(std::string program, BoardDirectory directory)
      : program_(std::move(program)), directory_(std::move(directory)) {}
  std::string program_;
  std::unique_ptr<Workspace> place_;
  BoardDirectory directory_;
  pid_t supervisor_ = 0;
};

/// Median from posting a task to its result, one at a time, on an idle board without durability; in
/// milliseconds.
Result<double> post_to_result_ms(const BenchOptions& options);

/// From the first `from` (created_at, awarded_at) to the last accepted result, in seconds.
/// REQUIRES: tasks that are done.
double seconds_until_done(const std::vector<Task>& tasks, WallTime Task::*from);

}  // namespace bidboard::bench
