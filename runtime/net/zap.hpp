// What a door says to ZeroMQ about its peers, and what it reads of them (ZAP, ZeroMQ RFC 27): who asks to be
// admitted, which name each gets, and who has sent a message. Included only by .cpp files of this folder,
// since it names ZeroMQ types.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runtime/core/io.hpp"
#include "runtime/net/admission.hpp"
#include "runtime/net/wire.hpp"

namespace bidboard::zap {

// Routing ids of peers: a byte that says who made the id, and four more, whose number is our PeerId.
constexpr char made_by_zmq = '\0';   ///< ROUTER names anonymous peers so
constexpr char made_by_door = '\1';  ///< see Naming
std::string routing_id_of(PeerId peer, char maker);
/// 0: the peer has chosen its routing id itself.
PeerId peer_of(std::string_view routing_id, char maker);

// The connection on which a message came.
Origin origin_of(zmq::message_t& message);
/// For people: "process 17 of user 1000", "laptop (10.0.0.7)".
std::string name_of(zmq::message_t& message);
/// The descriptor of its socket, which is perhaps closed meanwhile.
int descriptor_of(zmq::message_t& message);
/// Whether the peer, or the door, has chosen its routing id.
bool has_chosen_routing_id(zmq::message_t& message);

/// What a request says about a peer: for a local one "localhost:UID:GID:PID" where the system provides it,
/// for a remote one its address. REQUIRES: at least six frames.
ConnectionRequest connection_of(const std::vector<std::string>& request);

/// The reply's frames. `name`: of Naming, or empty.
std::vector<std::string> reply_to(const std::vector<std::string>& request,
                                  const ConnectionRequest& connection, const Admission& admission,
                                  const std::string& name);

/// Names the peers of a TCP door, so that none can name itself. A ROUTER aborts its process when an id that
/// it makes is in use, and its ids can be guessed: a peer that chose the next one as its routing id would
/// stop the controller. ZeroMQ does not put the chosen id into the ZAP request, so it cannot be refused
/// there; but what the ZAP reply says about a peer replaces what the peer said, provided that it is read
/// later. With CURVE the peer has spoken before ZAP is asked. With NULL, on local doors, it may speak
/// afterwards.
class Naming {
 public:
  explicit Naming(zmq::context_t& context);
  ~Naming();
  Naming(const Naming&) = delete;
  Naming& operator=(const Naming&) = delete;

  /// The routing id of the next peer.
  std::string next();

 private:
  /// Returns when the I/O thread, of which a door's context has one, has ended what it was doing: here,
  /// reading the metadata of the peer for which it asked. It does one thing after the other, and is now asked
  /// to connect to what cannot exist.
  void await_io_thread();

  zmq::socket_t nowhere_;
  zmq::socket_t events_;
  PeerId last_{};
};

/// A ROUTER's ids begin at a number from rand(), which nobody else here uses. Unseeded, every local process
/// would know them (see Naming).
void make_ids_unpredictable();

}  // namespace bidboard::zap
