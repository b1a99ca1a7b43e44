// One entrance to a controller: a ROUTER socket for messages and an XPUB socket for the feed, on one
// transport, with a ZeroMQ context of their own, so that everything is closed when the object is destroyed.
// The owner of the door admits or refuses every connection (ZAP, ZeroMQ RFC 27). For one thread, which owns
// it all. The header does not expose ZeroMQ; server.cpp and peer_links.cpp use it.
#pragma once

#include <chrono>
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

/// For messages that a door has yet to send, in bytes. A peer that exceeds one loses its connection.
struct OutgoingLimits {
  std::size_t queued_max = 4 << 20;   ///< of one peer, with ZeroMQ: it is full then
  std::size_t backlog_max = 8 << 20;  ///< of one peer, here
  std::size_t total_max = 128 << 20;  ///< of all peers, both
  /// How long one peer may take nothing while a part waits here. Over a slow line, one message of a megabyte
  /// takes long.
  std::chrono::milliseconds patience{10'000};
};

struct DoorOptions {
  std::string endpoint;       ///< where to listen for messages; for TCP the port may be *
  std::string feed_endpoint;  ///< where to listen for followers of the feed; empty: no feed
  std::string secret_key;     ///< not empty: use CURVE with this key
  std::function<Admission(const ConnectionRequest&)> may_enter;
  /// Called for every refused connection: from where, and why.
  std::function<void(const std::string&, const std::string&)> on_refused;
  OutgoingLimits outgoing = {};
};

class Door {
 public:
  /// Errors: unavailable (cannot listen).
  static Result<std::unique_ptr<Door>> open(DoorOptions options);
  ~Door();

  /// As bound: * is replaced by the port.
  const std::string& endpoint() const;
  const std::string& feed_endpoint() const;

  /// A raw ZeroMQ socket to wait for, so that one call can wait for all doors.
  std::vector<void*> sockets() const;
  /// Admits or refuses new connections, and counts open ones. Call after every wait.
  void answer_knocks();
  /// True if a first follower has come to the feed since the last call.
  bool take_follower();
  /// One message, if one has arrived; `bytes` grows by its size. Peer 0: it was refused, because its sender
  /// chose its own routing id, and was cut off.
  std::optional<FromPeer> receive(std::size_t& bytes);

  /// Never blocks. Messages to a peer that is gone or does not read are dropped and counted; one that lets
  /// too much wait is cut off.
  void send(PeerId to, std::string bytes);
  /// Sends the backlog, as far as the peers take it. True: a part still waits.
  bool send_backlogs();
  /// Whether anyone is connected to the feed.
  bool followed() const;
  /// Sends nothing while nobody is.
  void publish(std::string_view bytes);
  std::uint64_t undelivered() const;

 private:
  struct Impl;
  explicit Door(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
