// SIGTERM and SIGINT as something to poll: while one of these exists, they set a flag and wake a descriptor instead of ending the
// process. One per process at a time.
#pragma once

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

}  // namespace bidboard
