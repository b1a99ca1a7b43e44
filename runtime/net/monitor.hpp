// Which connections of a socket are open, according to its monitor. Included only by .cpp files of this
// folder, since it names ZeroMQ types.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/net/wire.hpp"

namespace bidboard {

/// Called for every refused connection: from where, and why.
using OnRefused = std::function<void(const std::string&, const std::string&)>;

struct Monitor {
  zmq::socket_t& watched;
  zmq::socket_t events;
  std::map<int, std::string> open;  ///< address by descriptor
  std::vector<int> closed;          ///< descriptors that take() found closed
  bool broke_off = false;           ///< the next one to close failed its handshake

  Monitor(zmq::context_t& context, zmq::socket_t& whom, const std::string& address);
  /// Before the events' reader is destroyed: ZeroMQ leaks the memory of an event that is not read.
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void take(bool tcp, const OnRefused& on_refused);
  /// Ends a connection, if it is still open.
  void cut(int fd) const;
};

}  // namespace bidboard
