// Whose heartbeats are still trusted, on the monotonic clock. Pure.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

class Leases {
 public:
  explicit Leases(Duration term) : term_(term) {}

  /// From now on. No lease lasts longer than a new one would.
  void set_term(Duration term, Instant now) {
    term_ = term;
    for (auto& [agent, until] : until_) until = std::min(until, now + term);
  }
  void renew(AgentId agent, Instant now) { until_[agent] = now + term_; }
  void drop(AgentId agent) { until_.erase(agent); }

  /// Call at every step, before anything is renewed or expires. A gap between two calls longer than a third
  /// of the term means that we slept (a suspended machine), not the agents: all leases are extended by it.
  /// The driver is woken before so long a gap passes in mere silence: see next_wakeup.
  void notice_time(Instant now) {
    if (noticed_ && now - *noticed_ > Duration{term_.us / 3})
      for (auto& [agent, until] : until_) until = until + (now - *noticed_);
    noticed_ = now;
  }
  /// Agents whose lease is over, by id.
  std::vector<AgentId> expired(Instant now) const {
    std::vector<AgentId> out;
    for (const auto& [agent, until] : until_)
      if (until <= now) out.push_back(agent);
    return out;
  }
  /// When notice_time must be called at the latest: at the next expiry, and often enough that silence is not
  /// taken for sleep.
  Instant next_wakeup() const {
    if (until_.empty()) return never;
    Instant next = noticed_ ? *noticed_ + Duration{term_.us / 4} : Instant{};
    for (const auto& [agent, until] : until_) next = std::min(next, until);
    return next;
  }

 private:
  Duration term_;
  std::map<AgentId, Instant> until_;
  std::optional<Instant> noticed_;
};

}  // namespace bidboard
