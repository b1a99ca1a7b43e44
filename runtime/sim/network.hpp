// The links between the processes of a simulated world: how long a message takes, whether and how often it
// arrives, and counts of what was sent. The content of messages does not matter here, so agents can talk to
// each other as well as to a controller. Every directed pair of endpoints is a link of its own. For one
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "blackboard/board/record_cache.hpp"
#include "blackboard/random.hpp"
#include "blackboard/time.hpp"

namespace bidboard::sim {

/// A process of the world. 0 is the controller.
using EndpointId = std::uint32_t;
constexpr EndpointId controller_endpoint = 0;

/// Who talks to whom.
enum class Traffic : std::uint8_t { agent_to_controller, controller_to_agent, client, agent_to_agent };
constexpr std::size_t traffic_sorts = 4;

/// Probabilities in millionths. A message that is not reordered arrives after all that were sent before it on
/// its link, as on one connection.
struct LinkProfile {
  Duration latency_min = microseconds(50);
  Duration latency_max = microseconds(200);
  std::int64_t loss = 0;
  std::int64_t duplication = 0;
  std::int64_t reordering = 0;
  Duration reordered_by = milliseconds(50);  ///< a reordered message or a second copy is late by up to this
};

struct LinkCount {
  std::uint64_t messages = 0;  ///< sent, whether they arrived or not
  std::uint64_t bytes = 0;     ///< of their frames; 0 unless the world counts them
  std::uint64_t lost = 0;      ///< by chance or because the link was cut
  std::uint64_t doubled = 0;
};
struct NetworkCount {
  std::array<LinkCount, traffic_sorts> by_traffic;
  std::array<std::uint64_t, traffic_sorts>
      links{};                     ///< different pairs of endpoints that talked, both ways one
  std::vector<LinkCount> by_kind;  ///< by position in Message
  LinkCount total() const;
};

class Network {
 public:
  Network(LinkProfile profile, std::uint64_t seed) : profile_(profile), random_(seed) {}

  /// When the message arrives: never, once, or twice. `kind` and `bytes` are only counted.
  struct Arrivals {
    std::array<Instant, 2> at{never, never};
    std::size_t count = 0;
  };
  Arrivals send(EndpointId from, EndpointId to, Traffic traffic, std::size_t kind, std::uint64_t bytes,
                Instant now);

  /// From now on nothing that is sent from one to the other arrives; messages already on the way do. Cuts of
  /// the same link are counted: it works again once all are repaired.
  void cut(EndpointId from, EndpointId to) { ++cuts_[{from, to}]; }
  void mend(EndpointId from, EndpointId to);
  bool is_cut(EndpointId from, EndpointId to) const { return cuts_.contains({from, to}); }
  void mend_all() { cuts_.clear(); }

  /// From now on.
  void set_profile(LinkProfile profile) { profile_ = profile; }
  /// For one link instead of the common profile: a slow site, a bad cable.
  void set_profile(EndpointId from, EndpointId to, LinkProfile profile) {
    own_profiles_[{from, to}] = profile;
  }
  const NetworkCount& count() const { return count_; }

 private:
  using Pair = std::pair<EndpointId, EndpointId>;
  static std::uint64_t direction(EndpointId from, EndpointId to) { return std::uint64_t{from} << 32 | to; }
  const LinkProfile& profile_of(EndpointId from, EndpointId to) const;
  void count_message(Traffic traffic, std::size_t kind, std::uint64_t bytes);
  void count_loss(Traffic traffic, std::size_t kind);

  LinkProfile profile_;
  std::map<Pair, LinkProfile> own_profiles_;
  Random random_;
  std::map<Pair, int> cuts_;
  RecordCache<std::uint64_t, Instant> last_arrival_;  ///< by direction
  NetworkCount count_;
};

}  // namespace bidboard::sim
