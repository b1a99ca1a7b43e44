// Whose heartbeats are still trusted, on the monotonic clock. Pure.
#pragma once

#include <map>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

class Leases {
 public:
  explicit Leases(Duration term) : term_(term) {}

  void set_term(Duration term) { term_ = term; }
  void renew(AgentId agent, Instant now) { until_[agent] = now + term_; }
  void drop(AgentId agent) { until_.erase(agent); }

  /// Call at every step, before anything expires. A gap between two calls longer than a third of the term means that we
  /// slept, not the agents: all leases are extended by it.
  void notice_time(Instant now) {
    if (last_seen_.us != 0 && now - last_seen_ > Duration{term_.us / 3})
      for (auto& [agent, until] : until_) until = until + (now - last_seen_);
    last_seen_ = now;
  }
  /// Agents whose lease is over, by id.
  std::vector<AgentId> expired(Instant now) const {
    std::vector<AgentId> out;
    for (const auto& [agent, until] : until_)
      if (until <= now) out.push_back(agent);
    return out;
  }
  Instant next_expiry() const {
    Instant next = never;
    for (const auto& [agent, until] : until_) next = std::min(next, until);
    return next;
  }

 private:
  Duration term_;
  std::map<AgentId, Instant> until_;
  Instant last_seen_;
};

}  // namespace bidboard
