// Erlang's restart intensity: at most `intensity` restarts within `period`. After that the supervisor gives
// up and reports an error, instead of restarting for ever. Pure.
#pragma once

#include <deque>

#include "blackboard/time.hpp"
#include "runtime/jobs/settings.hpp"

namespace bidboard {

class RestartPolicy {
 public:
  explicit RestartPolicy(RestartLimit limit) : limit_(limit) {}

  /// Whether one more restart is allowed now; if so it is counted.
  bool allow(Instant now) {
    while (!restarts_.empty() && now - restarts_.front() >= limit_.period) restarts_.pop_front();
    if (restarts_.size() >= limit_.intensity) return false;
    restarts_.push_back(now);
    return true;
  }

 private:
  RestartLimit limit_;
  std::deque<Instant> restarts_;
};

}  // namespace bidboard
