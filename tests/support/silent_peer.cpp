#include "tests/support/silent_peer.hpp"

#include <zmq.hpp>

#include "blackboard/format/codec.hpp"

namespace bidboard::testing {

struct SilentPeer::Impl {
  zmq::context_t context{1};
  zmq::socket_t socket;

  Impl(zmq::socket_type type, const std::string& endpoint, const std::string& routing_id = {},
       const std::optional<CurveKeys>& keys = {})
      : socket(context, type) {
    if (!routing_id.empty()) socket.set(zmq::sockopt::routing_id, routing_id);
    if (keys) {
      socket.set(zmq::sockopt::curve_serverkey, zmq::buffer(keys->server));
      socket.set(zmq::sockopt::curve_publickey, zmq::buffer(keys->own.public_key));
      socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(keys->own.secret_key));
    }
    socket.set(zmq::sockopt::linger, 0);
    socket.set(zmq::sockopt::rcvhwm, 1);
    if (type == zmq::socket_type::sub) socket.set(zmq::sockopt::subscribe, "");
    socket.connect(endpoint);
  }
};

SilentPeer::SilentPeer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
SilentPeer::SilentPeer(SilentPeer&&) noexcept = default;
SilentPeer::~SilentPeer() = default;

SilentPeer SilentPeer::client(const std::string& endpoint) {
  return SilentPeer(std::make_unique<Impl>(zmq::socket_type::dealer, endpoint));
}
SilentPeer SilentPeer::follower(const std::string& feed, const std::string& topic) {
  SilentPeer peer(std::make_unique<Impl>(zmq::socket_type::sub, feed));
  if (topic.empty()) return peer;
  peer.impl_->socket.set(zmq::sockopt::unsubscribe, "");
  peer.impl_->socket.set(zmq::sockopt::subscribe, topic);
  return peer;
}
SilentPeer SilentPeer::named(const std::string& endpoint, const std::string& routing_id,
                             const std::optional<CurveKeys>& keys) {
  return SilentPeer(std::make_unique<Impl>(zmq::socket_type::dealer, endpoint, routing_id, keys));
}

bool SilentPeer::say(const Message& message) {
  return impl_->socket.send(zmq::buffer(encode(Frame{protocol_version, message})), zmq::send_flags::dontwait)
      .has_value();
}

void SilentPeer::read() {
  zmq::message_t message;
  static_cast<void>(impl_->socket.recv(message, zmq::recv_flags::dontwait));
}

}  // namespace bidboard::testing
