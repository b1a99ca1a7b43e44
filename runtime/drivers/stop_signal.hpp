// SIGTERM, SIGINT and SIGHUP as a descriptor to poll: while a StopSignal exists, the signals set a flag and
// wake a descriptor instead of ending the process; one that was ignored before stays ignored. One per process
// at a time.
#pragma once

#include <vector>

#include "blackboard/time.hpp"

namespace bidboard {

class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  bool requested() const;
  /// Becomes readable when a signal has arrived.
  int descriptor() const;
};

/// Sleeps until one of the descriptors is readable, a signal arrives, or the timeout is over; negative
/// descriptors are ignored.
void wait_readable(const std::vector<int>& descriptors, Duration timeout = Duration{-1});

}  // namespace bidboard
