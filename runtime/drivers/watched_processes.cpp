#include "runtime/drivers/watched_processes.hpp"

#include <signal.h>

#include <algorithm>
#include <utility>

#include "agents/guard/platform.hpp"

namespace bidboard {

WatchedProcesses::WatchedProcesses() {
  if (Result<Descriptor> set = make_watched_set()) set_ = std::move(*set);
}

void WatchedProcesses::add(std::int64_t pid) {
  if (pid <= 0 || by_pid_.contains(pid) || asked_.contains(pid)) return;
  Result<Descriptor> watch = watch_process(static_cast<pid_t>(pid));
  if (!watch && watch.error().code == Errc::not_found)
    ended_.push_back(pid);
  else if (watch && set_ && add_to_watched_set(set_, *watch, static_cast<std::uint64_t>(pid)))
    by_pid_.emplace(pid, std::move(*watch));
  else
    asked_.insert(pid);
}

std::vector<std::int64_t> WatchedProcesses::take_ended() {
  const auto known = static_cast<std::ptrdiff_t>(ended_.size());
  if (!by_pid_.empty())
    for (auto some = readable_in(set_); !some.empty(); some = readable_in(set_))
      for (const std::uint64_t pid : some) {
        ended_.push_back(static_cast<std::int64_t>(pid));
        by_pid_.erase(ended_.back());  // closed, it leaves the set
      }
  std::erase_if(asked_, [&](std::int64_t pid) {
    const bool ended = ::kill(static_cast<pid_t>(pid), 0) != 0;
    if (ended) ended_.push_back(pid);
    return ended;
  });
  std::sort(ended_.begin() + known, ended_.end());
  return std::exchange(ended_, {});
}

}  // namespace bidboard
