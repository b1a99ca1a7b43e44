// One way in to a controller: a ROUTER socket for messages and an XPUB socket for the feed, on one transport,
// with a context of their own, so that a closed door is closed when its object is gone. Every connection
// knocks (ZAP, ZeroMQ RFC 27) and is let in or turned away by who opened the door. For one thread, which owns
// it all. Knows nothing of ZeroMQ in its header; server.cpp and peer_links.cpp use it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/io.hpp"
#include "runtime/home/curve_keys.hpp"
#include "runtime/net/admission.hpp"

namespace bidboard {

struct DoorOptions {
  std::string endpoint;       ///< where to listen for messages; of TCP the port may be *
  std::string feed_endpoint;  ///< and for followers of the feed; empty: there is none
  std::string secret_key;     ///< not empty: CURVE, as the owner of this key
  std::function<Admission(const Knock&)> may_enter;
  /// Told of everybody who was turned away: from where, and why.
  std::function<void(const std::string&, const std::string&)> on_refused;
};

class Door {
 public:
  /// Errors: unavailable (cannot listen).
  static Result<std::unique_ptr<Door>> open(DoorOptions options);
  ~Door();

  /// As bound: a * has become a port.
  const std::string& endpoint() const;
  const std::string& feed_endpoint() const;

  /// A raw ZeroMQ socket to wait for, so that all doors can be waited for at once.
  std::vector<void*> sockets() const;
  /// Lets in or turns away who knocked, and counts who came and went. Call after every wait.
  void answer_knocks();
  /// True when the feed's first follower has come since the last call.
  bool take_follower();
  /// One message, if one is there; `bytes` grows by its size.
  std::optional<FromPeer> receive(std::size_t& bytes);

  /// Never blocks. A peer that is gone or does not read is given up on; what it missed is counted.
  void send(PeerId to, std::string bytes);
  /// Sends what waits, as far as it is taken. True: something still waits.
  bool send_backlogs();
  /// Nothing at all while nobody follows.
  bool followed() const;
  void publish(std::string_view bytes);
  std::uint64_t undelivered() const;

 private:
  struct Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
