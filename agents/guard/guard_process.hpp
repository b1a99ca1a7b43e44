// The guard's code after the fork, in the guard's own process. The agent may have threads (ZeroMQ's), so
// nothing here touches the heap, a lock or a stream: only async-signal-safe calls and memory prepared before
// the fork.
#pragma once

#include <cstdint>

namespace bidboard {

/// The agent's messages on the control socket; the end of the stream means that the agent died.
struct GuardOrder {
  static constexpr std::uint8_t stop = 1;
  static constexpr std::uint8_t hold = 2;  ///< comes with a descriptor (SCM_RIGHTS)
  std::uint8_t what = 0;
  std::uint8_t slot = 0;
};

/// Everything the guard needs, prepared by the agent; pointers stay valid in the forked copy. Descriptors: -1
/// is none.
struct GuardPlan {
  char* const* argv;
  char* const* environment;
  const char* directory;       ///< in `place`; null: that itself
  const char* lock_path;       ///< null: none
  const char* const* scratch;  ///< ends in null
  std::int64_t lock_wait_us;
  std::int64_t timeout_us;  ///< 0: none
  std::int64_t grace_us;
  std::int64_t linger_us;
  bool lets_go;  ///< stops nothing: a negative control (sabotage.hpp)
  int input;
  int output;
  int errors;
  int control;
  int report;
  int log;
  int place;   ///< AT_FDCWD: stay
  int folder;  ///< of lock and scratch; AT_FDCWD: their names are paths
};

/// REQUIRES: called in a fresh fork, all signals blocked. Writes GuardReport records to `report`, never
/// returns.
[[noreturn]] void run_guard(const GuardPlan& plan);

}  // namespace bidboard
