// Checks linearizability: whether the operations can have happened one at a time in some order that explains
// all answers, each taking effect between its request and its answer (Herlihy and Wing,
// "Linearizability", TOPLAS 1990). The search is Wing and Gong's ("Testing and verifying concurrent objects",
// JPDC 1993) with Lowe's cache of states tried ("Testing for linearizability", 2017). Tasks are
// independent objects, so each task's history is searched alone.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bidboard::testing {

/// One request of a client about one task. Times are any increasing numbers.
struct Operation {
  enum class What : std::uint8_t { claim, renew, done, fail };
  /// unknown: no answer came, so it may have happened at any later time, or never.
  enum class Answer : std::uint8_t { accepted, refused, unknown };
  What what = What::claim;
  std::string client;
  std::uint64_t epoch = 0;  ///< claim: the granted one; else the one presented
  Answer answer = Answer::accepted;
  std::int64_t asked = 0;
  std::int64_t answered = 0;
};

/// The sequential model of a task: a claim of a free task is granted under the next epoch and
/// refused otherwise; renew, done and fail are accepted from the holder under its epoch; fail frees the task,
/// done ends it for good and is accepted again from the one who did it. At most 60 operations.
bool is_linearizable(const std::vector<Operation>& history);

/// "claim by ann, epoch 1: accepted [3, 7]" per line.
std::string words(const std::vector<Operation>& history);

}  // namespace bidboard::testing
