// A job whose tasks record their own executions, so that the check does not depend on the board under test.
// Each execution appends a line at its start and at its end, which the kernel puts into one order, and takes
// a lock that is held as long as any of its processes lives: no other execution of the task is alive then.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "blackboard/random.hpp"
#include "tests/support/test_board.hpp"

namespace bidboard::testing {

/// How many times longer the random tests run (`./dev soak`); 1 by default.
std::uint64_t soak_rounds();
/// BIDBOARD_SEED, or the default seed.
std::uint64_t test_seed(std::uint64_t usual);

class RecordedDag {
 public:
  /// Draws a graph in which a task needs up to three of the `window` tasks before it, and writes the files of
  /// its commands into the board's folder.
  RecordedDag(const TestBoard& board, std::size_t tasks, std::size_t window, Random& random);

  /// Posts all of it as one workflow. The agents need --allow-run.
  void post() const;
  std::size_t size() const { return needs_.size(); }
  /// Begins and ends of executions so far.
  std::size_t lines() const;
  bool all_done() const;

  /// CHECKs that nothing is lost, accepted twice, overlapping or too early, and that the log is legal: epochs
  /// count up, and an award follows only when the previous one has ended. Call when all tasks are done.
  void check() const;
  /// CHECKs that no execution is alive.
  void check_nothing_runs() const;
  /// Executions begun.
  std::size_t begun() const;

 private:
  void check_order() const;
  void check_log() const;

  const TestBoard& board_;
  std::vector<std::vector<std::size_t>> needs_;  ///< by task: the tasks that it needs
  std::vector<std::string> durations_;
};

}  // namespace bidboard::testing
