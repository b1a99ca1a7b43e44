// Deadlines of attempts and claims are wall time, so that they survive a restart. When the wall clock jumps
// against the monotonic one (somebody sets it, or a suspended machine wakes up), they move along: no time
// ends an hour early, and no task is held for an hour longer. Pure.
#pragma once

#include <optional>

#include "blackboard/time.hpp"

namespace bidboard {

struct Core;

class ClockJumps {
 public:
  /// Compares the clocks of the call under way, and moves all deadlines when the wall clock jumped.
  void notice(Core& core);
  /// After a failed commit: the jump is to be made up for again.
  void forget_batch();

 private:
  /// Wall clock minus monotonic clock, and what it was before a jump that the present batch makes up for.
  std::optional<Duration> offset_;
  std::optional<Duration> offset_before_;
};

}  // namespace bidboard
