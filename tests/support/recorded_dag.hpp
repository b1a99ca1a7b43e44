// A job whose tasks keep the record themselves. Each execution writes a line at its begin and at its end,
// which the kernel puts into one order, and proves with a lock that lives as long as any of its processes
// that no other execution of the same task is alive. So what is checked does not come from the board that is
// on trial.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "blackboard/random.hpp"
#include "tests/support/test_board.hpp"

namespace bidboard::testing {

/// How many times longer the random tests run (`./dev soak`); 1 when not asked for.
std::uint64_t soak_rounds();
/// BIDBOARD_SEED, else the usual one.
std::uint64_t test_seed(std::uint64_t usual);

class RecordedDag {
 public:
  /// Draws a graph in which a task needs up to three of the `window` before it, and writes what its commands
  /// need into the board's folder.
  RecordedDag(const TestBoard& board, std::size_t tasks, std::size_t window, Random& random);

  /// Posts all of it as one workflow. The agents need --allow-run.
  void post() const;
  std::size_t size() const { return needs_.size(); }
  /// Begins and ends of executions so far.
  std::size_t lines() const;
  bool all_done() const;

  /// CHECKs that nothing is lost, accepted twice, overlapping or too early, and that the log is legal: epochs
  /// count up, an award is given only when the one before has ended. Call when everything is done.
  void check() const;
  /// CHECKs that no execution is alive.
  void check_nothing_runs() const;
  /// Executions begun.
  std::size_t begun() const;

 private:
  void check_order() const;
  void check_log() const;

  const TestBoard& board_;
  std::vector<std::vector<std::size_t>> needs_;  ///< by task: those that must be done before
  std::vector<std::string> durations_;
};

}  // namespace bidboard::testing
