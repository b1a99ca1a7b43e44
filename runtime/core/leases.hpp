// Which agents' leases are still valid, on the monotonic clock. Pure.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

class Leases {
 public:
  explicit Leases(Duration term) : term_(term) {}

  /// Applies from now on. No lease then lasts longer than a new one would.
  void set_term(Duration term, Instant now) {
    term_ = term;
    move_all([&](Instant until) { return std::min(until, now + term); });
  }
  void renew(AgentId agent, Instant now) {
    const auto [known, fresh] = until_.try_emplace(agent, now + term_);
    if (!fresh) by_time_.erase({known->second, agent});
    known->second = now + term_;
    by_time_.insert({known->second, agent});
  }
  void drop(AgentId agent) {
    const auto known = until_.find(agent);
    if (known == until_.end()) return;
    by_time_.erase({known->second, agent});
    until_.erase(known);
  }

  /// Call at every step, before anything is renewed or expires. A gap between two calls longer than a third
  /// of the term means that this process slept (a suspended machine), not the agents: all leases are extended
  /// by the gap. The driver is woken before mere silence can cause so long a gap: see next_wakeup.
  void notice_time(Instant now) {
    if (noticed_ && now - *noticed_ > Duration{term_.us / 3})
      move_all([&](Instant until) { return until + (now - *noticed_); });
    noticed_ = now;
  }
  /// Agents whose lease has expired, by id.
  std::vector<AgentId> expired(Instant now) const {
    std::vector<AgentId> out;
    for (auto it = by_time_.begin(); it != by_time_.end() && it->first <= now; ++it)
      out.push_back(it->second);
    std::ranges::sort(out);
    return out;
  }
  /// When notice_time must be called at the latest: at the next expiry, and often enough that silence is not
  /// mistaken for sleep.
  Instant next_wakeup() const {
    if (by_time_.empty()) return never;
    return std::min(by_time_.begin()->first, noticed_ ? *noticed_ + Duration{term_.us / 4} : Instant{});
  }

 private:
  template <class Change>
  void move_all(Change&& change) {
    by_time_.clear();
    for (auto& [agent, until] : until_) {
      until = change(until);
      by_time_.insert({until, agent});
    }
  }

  Duration term_;
  std::map<AgentId, Instant> until_;
  std::set<std::pair<Instant, AgentId>> by_time_;  ///< the same, earliest expiry first
  std::optional<Instant> noticed_;
};

}  // namespace bidboard
