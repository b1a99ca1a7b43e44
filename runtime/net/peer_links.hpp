// An agent's links to its peers: a door of its own, by which they come in, and a connection to each of them.
// Of this machine only, in the folder of the controller's sockets. What cannot be sent at once is dropped:
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
  /// Listens at `folder`/`name`, which must be `p` and the process number, so that what a killed process left
  /// behind is known; takes such remains away. `on_refused`: told of everybody who was turned away.
  /// Errors: those of make_private_folder(), unavailable (cannot listen).
  static Result<std::unique_ptr<PeerLinks>> open(
      const std::string& folder, const std::string& name,
      std::function<void(const std::string&, const std::string&)> on_refused);
  /// Takes its socket away, and the folder when it was the last.
  ~PeerLinks();

  const std::string& endpoint() const;
  /// These are the peers from now on; who stays, stays connected.
  void connect(const std::vector<PeerEntry>& peers);
  /// Raw ZeroMQ sockets to wait for.
  std::vector<void*> sockets() const;
  /// Lets in who knocked, and takes what has come.
  std::vector<PeerBids> receive();
  /// False: not sent, because there is no connection to that peer now or it does not read.
  bool send(const PeerBids& words);

 private:
  struct Impl;
  explicit PeerLinks(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Sockets of agents whose processes have ended without taking them away.
void remove_dead_peer_sockets(const std::string& folder);

}  // namespace bidboard
