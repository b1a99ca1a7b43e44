// An agent's links to its peers: a door of its own, to which they connect, and a connection to each of them.
// Only on this machine, in the folder of the controller's sockets. What cannot be sent at once is dropped:
// peers repeat what is not confirmed. For one thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "blackboard/messages.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

class PeerLinks {
 public:
  /// Listens at `folder`/`name`, which must be `p` and the process number, so that sockets of killed
  /// processes can be recognized; removes those. `on_refused`: called for every refused connection. Errors:
  /// those of make_private_folder(), unavailable (cannot listen).
  static Result<std::unique_ptr<PeerLinks>> open(
      const std::string& folder, const std::string& name,
      std::function<void(const std::string&, const std::string&)> on_refused);
  /// Removes its socket, and the folder if it was the last one.
  ~PeerLinks();

  const std::string& endpoint() const;
  /// Sets the peers. Connections to peers that stay are kept.
  void connect(const std::vector<PeerEntry>& peers);
  /// Raw ZeroMQ sockets to wait for.
  std::vector<void*> sockets() const;
  /// Admits new connections and takes messages.
  std::vector<PeerBids> receive();
  /// False: not sent, because there is no connection to that peer now or it does not read.
  bool send(const PeerBids& words);

 private:
  struct Impl;
  explicit PeerLinks(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Removes the sockets of agents whose processes have ended without removing them.
void remove_dead_peer_sockets(const std::string& folder);

}  // namespace bidboard
