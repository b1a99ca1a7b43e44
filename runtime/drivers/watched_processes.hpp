// Local processes whose end must be noticed. However many there are, the serving loop waits for one
// descriptor, and a turn costs the processes that have ended. Where no descriptor reports the end of a
// process, it is asked for. Edge code, for one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <vector>

#include "agents/guard/descriptor.hpp"

namespace bidboard {

class WatchedProcesses {
 public:
  WatchedProcesses();

  void add(std::int64_t pid);
  /// Readable when one of them has ended; -1: no descriptor reports any.
  int descriptor() const { return by_pid_.empty() ? -1 : set_.get(); }
  /// Some must be asked for: call take_ended() from time to time.
  bool must_ask() const { return !asked_.empty(); }
  /// Processes that have ended by now; each is reported once.
  std::vector<std::int64_t> take_ended();
  bool has_ended() const { return !ended_.empty(); }

 private:
  Descriptor set_;
  std::map<std::int64_t, Descriptor> by_pid_;
  std::set<std::int64_t> asked_;  ///< those without a descriptor
  std::vector<std::int64_t> ended_;
};

}  // namespace bidboard
