// The controller's side of the wire: a ROUTER socket for agents and clients, a PUB socket for the event feed.
// No ZeroMQ type leaks from here. For one thread, which owns both sockets.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/controller.hpp"

namespace bidboard {

/// What woke the server up.
struct Arrived {
  std::vector<Input> inputs;  ///< messages in order of arrival; bytes that are none appear as Malformed
  bool interrupted = false;   ///< a signal came
  bool follower = false;      ///< the feed's first follower has come
};

class Server {
 public:
  /// Listens on ipc sockets in `folder` (made with mode 0700 when missing; at most 80 bytes long).
  /// Errors: unavailable (cannot listen), invalid (path too long), refused (the folder is not ours alone).
  static Result<std::unique_ptr<Server>> open(const std::string& folder);
  /// Takes the sockets and their folder away. REQUIRES: the board's writer lock is still held.
  ~Server();

  const std::string& endpoint() const;
  const std::string& feed_endpoint() const;

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

/// A short folder for a board's sockets, the same for every process of this user: under XDG_RUNTIME_DIR or
/// /tmp.
std::string socket_folder(const std::string& board_path);

}  // namespace bidboard
