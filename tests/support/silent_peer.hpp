// Peers that connect, may ask, and never read: what is said to them stays with the controller, or is dropped.
#pragma once

#include <memory>
#include <string>

#include "blackboard/messages.hpp"

namespace bidboard::testing {

class SilentPeer {
 public:
  /// Of a controller's endpoint for requests, or of its feed, to which it subscribes.
  static SilentPeer client(const std::string& endpoint);
  static SilentPeer follower(const std::string& feed);
  ~SilentPeer();
  SilentPeer(SilentPeer&&) noexcept;

  /// REQUIRES: a client. False: the controller takes no more.
  bool say(const Message& message);

 private:
  struct Impl;
  explicit SilentPeer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard::testing
