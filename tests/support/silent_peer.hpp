// Peers that connect, may send requests, and do not read: messages to them stay queued in the controller, or
// are dropped.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "blackboard/messages.hpp"
#include "runtime/home/curve_keys.hpp"

namespace bidboard::testing {

class SilentPeer {
 public:
  /// A client of a controller's request endpoint, or a subscriber of its feed.
  static SilentPeer client(const std::string& endpoint);
  static SilentPeer follower(const std::string& feed, const std::string& topic = {});
  /// A client that asks for this routing id.
  static SilentPeer named(const std::string& endpoint, const std::string& routing_id,
                          const std::optional<CurveKeys>& keys = {});
  ~SilentPeer();
  SilentPeer(SilentPeer&&) noexcept;

  /// REQUIRES: a client. False: the controller accepts no more.
  bool say(const Message& message);
  /// Ends its silence: takes a message, if one has arrived.
  void read();

 private:
  struct Impl;
  explicit SilentPeer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard::testing
