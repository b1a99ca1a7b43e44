// SIGTERM and SIGINT as something to poll: while one of these exists, they set a flag and wake a descriptor
// instead of ending the process. One per process at a time.
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
  /// Becomes readable when a signal came.
  int descriptor() const;
};

/// Sleeps until one of the descriptors is readable, a signal came, or the timeout is over; a negative one
/// never is.
void wait_readable(const std::vector<int>& descriptors, Duration timeout = Duration{-1});

}  // namespace bidboard
