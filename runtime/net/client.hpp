// The client side: a connection to a controller (agents, shell tools), and a subscription to its feed. For
// one thread.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/messages.hpp"
#include "blackboard/time.hpp"
#include "runtime/home/curve_keys.hpp"

namespace bidboard {

/// A descriptor to wait for in addition to the socket.
struct Watched {
  int fd = -1;
  bool read = false;
  bool write = false;
};
struct Incoming {
  std::vector<Message> messages;
  bool connected = false;    ///< the connection was made or restored: identify yourself
  bool ready = false;        ///< one of the watched descriptors is ready
  bool interrupted = false;  ///< a signal arrived
  /// Why the controller does not admit us. refused: permanently; unavailable: the attempt is repeated.
  std::optional<Error> trouble;
};

class Connection {
 public:
  /// Connects in the background, and again whenever the connection is lost. Over TCP, `keys` prove our
  /// identity and the controller's. With a board's id, only a controller of that board is spoken to: another
  /// one is a trouble (refused). Errors: invalid (TCP without keys), unavailable.
  static Result<std::unique_ptr<Connection>> open(const std::string& endpoint,
                                                  const std::optional<CurveKeys>& keys = {},
                                                  const std::string& board_id = {});
  ~Connection();

  const std::string& endpoint() const;
  /// Waits for messages, a descriptor, a connection made, lost or refused, or the timeout; then takes what
  /// has arrived. `sockets`: further ZeroMQ sockets to wait for.
  Incoming wait(Duration timeout, const std::vector<Watched>& watched = {},
                const std::vector<void*>& sockets = {});
  /// False if there is no connection right now: nothing was sent.
  bool send(const Message& message);

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  void connect_again();
  std::unique_ptr<Impl> impl_;
};

/// Why this process may not connect there, such as a sandbox that forbids sockets; empty: it may, or
/// something else is in the way, which goes away by trying again. Looks at ipc:// only.
std::string forbidden_connection(const std::string& endpoint);

/// One piece of the feed: events from `first` on, or a heartbeat without events.
struct FeedPiece {
  Seq first;
  std::vector<std::string> events;  ///< sealed
};

class Feed {
 public:
  /// As Connection::open. A subscriber that is not admitted receives nothing.
  static Result<std::unique_ptr<Feed>> open(const std::string& endpoint,
                                            const std::optional<CurveKeys>& keys = {});
  ~Feed();
  /// Nothing if the time is over or a signal arrived.
  std::optional<FeedPiece> wait(Duration timeout);

 private:
  struct Impl;
  explicit Feed(std::unique_ptr<Impl> impl);
  void connect_again_if_silent();
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
