// The controller's network side: a door for processes of this machine, over ipc, and optionally a second one
// over TCP for clients with an allowed key. The header does not expose ZeroMQ. For one thread, which owns all
// sockets.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/core/io.hpp"
#include "runtime/net/admission.hpp"

namespace bidboard {

/// What woke the server up.
struct Arrived {
  std::vector<Input> inputs;  ///< messages in order of arrival; bytes that do not decode appear as Malformed
  bool interrupted = false;   ///< a signal arrived
  bool follower = false;      ///< the feed's first follower has come
};

struct ServerOptions {
  /// For the ipc sockets: the first that can be made with mode 0700, or is ours already, and where no other
  /// process listens. At most 80 bytes long. REQUIRES: not empty.
  std::vector<std::string> folders;
  std::string tcp;  ///< empty, or where to listen in addition: tcp://ADDRESS:PORT, the feed one port higher
  std::string secret_key;  ///< with `tcp`: 32 bytes, by which the controller proves its identity
  /// Called for every connection, before any of its messages is read.
  std::function<Admission(const ConnectionRequest&)> may_enter;
  /// Called for every refused connection: from where, and why.
  std::function<void(const std::string&, const std::string&)> on_refused;
};

class Server {
 public:
  /// Errors: unavailable (cannot listen), invalid (the folder's path is too long, or not an address), refused
  /// (others may access each of the folders).
  static Result<std::unique_ptr<Server>> open(ServerOptions options);
  /// Removes the sockets, and their folder unless agents listen there. REQUIRES: the board's writer lock is
  /// still held.
  ~Server();

  const std::string& endpoint() const;
  const std::string& feed_endpoint() const;
  /// Over TCP, as bound; empty: no TCP.
  std::string tcp_endpoint() const;
  std::string tcp_feed_endpoint() const;
  /// Closes all TCP connections; clients that are still allowed reconnect by themselves. Errors: as for
  /// open().
  Result<void> reopen_tcp();

  /// Waits until something arrives or `timeout` is over, then takes at most a batch (node.hpp).
  Arrived wait(Duration timeout, const std::vector<int>& descriptors);
  /// Never blocks. Messages to a peer that is gone or does not read are dropped; the board still has the
  /// facts.
  void send(PeerId to, const Message& message);
  /// Sends nothing while the feed has no follower. `events`: sealed, the first one numbered `first`; none: a
  /// heartbeat that carries the last number, first - 1.
  void publish(Seq first, const std::vector<std::string>& events);
  std::uint64_t undelivered() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
