// The controller's side of the wire: a door for processes of this machine, over ipc, and, if wanted, a second
// one over TCP for those that hold an allowed key. No ZeroMQ type leaks from here. For one thread, which owns
// all sockets.
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
  std::vector<Input> inputs;  ///< messages in order of arrival; bytes that are none appear as Malformed
  bool interrupted = false;   ///< a signal came
  bool follower = false;      ///< the feed's first follower has come
};

struct ServerOptions {
  std::string folder;  ///< for the ipc sockets; made with mode 0700 when missing; at most 80 bytes long
  std::string tcp;     ///< empty, or where to listen besides: tcp://ADDRESS:PORT, the feed one port higher
  std::string secret_key;  ///< with `tcp`: 32 bytes, by which the controller proves who it is
  /// Asked for every connection before anything it says is heard.
  std::function<Admission(const Knock&)> may_enter;
  /// Told of every connection that was turned away: from where, and why.
  std::function<void(const std::string&, const std::string&)> on_refused;
};

class Server {
 public:
  /// Errors: unavailable (cannot listen), invalid (folder's path too long, no address), refused (the folder
  /// is not ours alone).
  static Result<std::unique_ptr<Server>> open(ServerOptions options);
  /// Takes the sockets away, and their folder unless agents listen there. REQUIRES: the board's writer lock
  /// is still held.
  ~Server();

  const std::string& endpoint() const;
  const std::string& feed_endpoint() const;
  /// Over TCP, as bound; empty: not wanted.
  std::string tcp_endpoint() const;
  std::string tcp_feed_endpoint() const;
  /// Cuts all connections over TCP; whoever may still enter comes back by itself. Errors: as of open().
  Result<void> reopen_tcp();

  /// Waits until something is there or `timeout` is over, then drains at most a batch (node.hpp).
  Arrived wait(Duration timeout, const std::vector<int>& descriptors);
  /// Never blocks. A peer that is gone or does not read is given up on: what it missed, the board knows.
  void send(PeerId to, const Message& message);
  /// Nothing at all while nobody follows the feed. `events`: sealed, the first one numbered `first`; none: a
  /// heartbeat that tells the last number, first
  /// - 1.
  void publish(Seq first, const std::vector<std::string>& events);
  std::uint64_t undelivered() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
