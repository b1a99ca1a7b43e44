// A bad network between a controller and all its clients: it takes the place of the controller's socket and
// forwards messages with faults drawn from a seed. It runs in its own thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard::testing {

/// The rate of each fault, in millionths of the messages.
struct LinkFaults {
  std::int64_t drop = 0;
  std::int64_t duplicate = 0;
  std::int64_t delay = 0;  ///< held back by up to `delay_ms`, so that later ones overtake it
  std::int64_t delay_ms = 30;
  std::int64_t drop_outward = 0;  ///< of the controller's messages, in addition to `drop`
  std::int64_t cut = 0;           ///< closes the sender's connection, with all messages on it
};

class FaultyLink {
 public:
  /// `endpoint`: of a serving controller, "ipc://...", whose socket is renamed. Existing connections stay
  /// direct; new ones go through this link.
  FaultyLink(const std::string& endpoint, LinkFaults faults, std::uint64_t seed);
  ~FaultyLink();

  struct Counts {
    std::uint64_t passed = 0, dropped = 0, duplicated = 0, delayed = 0, cut = 0;
  };
  Counts counts() const;
  /// The frames so far: in from agents and clients, or out from the controller.
  std::vector<Message> recorded(bool inward) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
  std::thread thread_;
};

}  // namespace bidboard::testing
