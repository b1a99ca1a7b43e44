#include "runtime/sim/network.hpp"

#include <algorithm>

namespace bidboard::sim {
namespace {

void add(LinkCount& sum, const LinkCount& other) {
  sum.messages += other.messages;
  sum.bytes += other.bytes;
  sum.lost += other.lost;
  sum.doubled += other.doubled;
}

}  // namespace

LinkCount NetworkCount::total() const {
  LinkCount sum;
  for (const LinkCount& one_sort : by_traffic) add(sum, one_sort);
  return sum;
}

const LinkProfile& Network::profile_of(EndpointId from, EndpointId to) const {
  if (own_profiles_.empty()) return profile_;
  const auto own = own_profiles_.find({from, to});
  return own == own_profiles_.end() ? profile_ : own->second;
}

void Network::count_message(Traffic traffic, std::size_t kind, std::uint64_t bytes) {
  const LinkCount said{1, bytes, 0, 0};
  add(count_.by_traffic[static_cast<std::size_t>(traffic)], said);
  if (kind >= count_.by_kind.size()) count_.by_kind.resize(kind + 1);
  add(count_.by_kind[kind], said);
}

void Network::count_loss(Traffic traffic, std::size_t kind) {
  ++count_.by_traffic[static_cast<std::size_t>(traffic)].lost;
  ++count_.by_kind[kind].lost;
}

Network::Arrivals Network::send(EndpointId from, EndpointId to, Traffic traffic, std::size_t kind,
                                std::uint64_t bytes, Instant now) {
  count_message(traffic, kind, bytes);
  Instant& last = *last_arrival_.find(direction(from, to), [&](std::uint64_t) {
    // A message in one direction uses the link for both.
    if (!last_arrival_.known(direction(to, from))) ++count_.links[static_cast<std::size_t>(traffic)];
    return std::optional(Instant{});
  });
  const LinkProfile& profile = profile_of(from, to);
  const Duration latency{random_.between(profile.latency_min.us, profile.latency_max.us)};
  const bool lost = profile.loss > 0 && random_.chance(profile.loss);
  if (lost || (!cuts_.empty() && is_cut(from, to))) {
    count_loss(traffic, kind);
    return {};
  }
  Arrivals arrivals;
  if (profile.reordering > 0 && random_.chance(profile.reordering))
    arrivals.at[0] = now + latency + Duration{random_.between(0, profile.reordered_by.us)};
  else
    arrivals.at[0] = last = std::max(last, now + latency);
  arrivals.count = 1;
  if (profile.duplication > 0 && random_.chance(profile.duplication)) {
    arrivals.at[1] = arrivals.at[0] + Duration{random_.between(0, profile.reordered_by.us)};
    arrivals.count = 2;
    ++count_.by_traffic[static_cast<std::size_t>(traffic)].doubled;
    ++count_.by_kind[kind].doubled;
  }
  return arrivals;
}

void Network::mend(EndpointId from, EndpointId to) {
  const auto cut = cuts_.find({from, to});
  if (cut != cuts_.end() && --cut->second == 0) cuts_.erase(cut);
}

}  // namespace bidboard::sim
