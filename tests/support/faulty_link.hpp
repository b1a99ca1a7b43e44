// A bad network between a controller and everybody who connects to it: it takes the place of the controller's
// socket and passes messages on with faults drawn from a seed. It runs in a thread of its own.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard::testing {

/// How often each fault strikes, in millionths of the messages.
struct LinkFaults {
  std::int64_t drop = 0;
  std::int64_t duplicate = 0;
  std::int64_t delay = 0;  ///< held back by up to `delay_ms`, so that later ones overtake it
  std::int64_t delay_ms = 30;
  std::int64_t drop_outward = 0;  ///< of what the controller says, beside `drop`
  std::int64_t cut = 0;           ///< the sender's connection, with everything that is under way on it
};

class FaultyLink {
 public:
  /// `endpoint`: of a serving controller, "ipc://...", whose socket is renamed. Who is connected stays
  /// connected; who connects from now on comes through here.
  FaultyLink(const std::string& endpoint, LinkFaults faults, std::uint64_t seed);
  ~FaultyLink();

  struct Counts {
    std::uint64_t passed = 0, dropped = 0, duplicated = 0, delayed = 0, cut = 0;
  };
  Counts counts() const;
  /// What came in (from agents and clients) or went out (from the controller) so far, as it was read off the
  /// wire.
  std::vector<Message> recorded(bool inward) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::thread thread_;
};

}  // namespace bidboard::testing
