// Deadlines of attempts and claims are wall time, so that they survive a restart. When the wall clock jumps
// against the monotonic clock (an administrator sets it, or a suspended machine wakes up), the deadlines move
// with it: no timeout ends an hour early, and no task is held for an hour longer. Pure.
#pragma once

#include <optional>

#include "blackboard/time.hpp"

namespace bidboard {

struct Core;

class ClockJumps {
 public:
  /// Compares the two clocks of the current call, and moves all deadlines if the wall clock jumped.
  void notice(Core& core);
  /// After a failed commit: the deadlines must be moved again.
  void forget_batch();

 private:
  /// Wall clock minus monotonic clock: now, and before the jump that the current batch corrects.
  std::optional<Duration> offset_;
  std::optional<Duration> offset_before_;
};

}  // namespace bidboard
