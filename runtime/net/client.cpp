#include "runtime/net/client.hpp"

#include "runtime/net/wire.hpp"

namespace bidboard {
namespace {

constexpr int reconnect_ms = 20;
constexpr int reconnect_max_ms = 1000;
/// Messages taken in one go; the rest waits for the next call.
constexpr std::size_t drain_max = 1024;
/// A connection made, lost, or not to be had: whoever waits for an answer looks whether anybody is there.
constexpr int events_that_wake =
    ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED;
constexpr const char* monitor_address = "inproc://monitor";

}  // namespace

struct Connection::Impl {
  zmq::context_t context{1};
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
  zmq::socket_t monitor{context, zmq::socket_type::pair};

  /// True when a connection was made since the last call.
  bool take_monitor_events() {
    bool connected = false;
    zmq::message_t event;
    zmq::message_t address;
    while (monitor.recv(event, zmq::recv_flags::dontwait)) {
      static_cast<void>(monitor.recv(address, zmq::recv_flags::dontwait));
      if (event.size() >= 2 &&
          *static_cast<const std::uint16_t*>(event.data()) == ZMQ_EVENT_HANDSHAKE_SUCCEEDED)
        connected = true;
    }
    return connected;
  }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& endpoint) {
  try {
    auto impl = std::make_unique<Impl>();
    wire::set_common_options(impl->dealer);
    impl->dealer.set(zmq::sockopt::immediate, true);
    impl->dealer.set(zmq::sockopt::reconnect_ivl, reconnect_ms);
    impl->dealer.set(zmq::sockopt::reconnect_ivl_max, reconnect_max_ms);
    impl->monitor.set(zmq::sockopt::linger, 0);
    if (zmq_socket_monitor(impl->dealer.handle(), monitor_address, events_that_wake) != 0)
      return fail(Errc::unavailable,
                  std::string("cannot watch the connection: ") + zmq_strerror(zmq_errno()));
    impl->monitor.connect(monitor_address);
    impl->dealer.connect(endpoint);
    return std::unique_ptr<Connection>(new Connection(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, "cannot connect to " + endpoint + ": " + error.what());
  }
}

Incoming Connection::wait(Duration timeout, const std::vector<Watched>& watched) {
  std::vector<zmq::pollitem_t> items{{impl_->dealer.handle(), 0, ZMQ_POLLIN, 0},
                                     {impl_->monitor.handle(), 0, ZMQ_POLLIN, 0}};
  for (const Watched& item : watched) {
    const int events = (item.read ? ZMQ_POLLIN : 0) | (item.write ? ZMQ_POLLOUT : 0);
    items.push_back({nullptr, item.fd, static_cast<short>(events), 0});
  }
  Incoming incoming;
  incoming.interrupted = wire::poll(items, timeout).interrupted;
  for (std::size_t i = 2; i < items.size(); ++i)
    if (items[i].revents != 0) incoming.ready = true;
  incoming.connected = impl_->take_monitor_events();
  zmq::message_t message;
  while (incoming.messages.size() < drain_max && impl_->dealer.recv(message, zmq::recv_flags::dontwait))
    incoming.messages.push_back(wire::read_frame(wire::view(message)));
  return incoming;
}

bool Connection::send(const Message& message) {
  try {
    return impl_->dealer
        .send(zmq::buffer(encode(Frame{protocol_version, message})), zmq::send_flags::dontwait)
        .has_value();
  } catch (const zmq::error_t&) {
    return false;
  }
}

struct Feed::Impl {
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::sub};
};

Feed::Feed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Feed::~Feed() = default;

Result<std::unique_ptr<Feed>> Feed::open(const std::string& endpoint) {
  try {
    auto impl = std::make_unique<Impl>();
    wire::set_common_options(impl->socket);
    impl->socket.set(zmq::sockopt::reconnect_ivl, reconnect_ms);
    impl->socket.set(zmq::sockopt::reconnect_ivl_max, reconnect_max_ms);
    impl->socket.set(zmq::sockopt::subscribe, "");
    impl->socket.connect(endpoint);
    return std::unique_ptr<Feed>(new Feed(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, "cannot connect to " + endpoint + ": " + error.what());
  }
}

std::optional<FeedPiece> Feed::wait(Duration timeout) {
  std::vector<zmq::pollitem_t> items{{impl_->socket.handle(), 0, ZMQ_POLLIN, 0}};
  if (!wire::poll(items, timeout).ready) return {};
  zmq::message_t message;
  if (!impl_->socket.recv(message, zmq::recv_flags::dontwait)) return {};
  Result<FeedFrame> frame = decode<FeedFrame>(wire::view(message));
  if (!frame) return {};
  return FeedPiece{frame->first, std::move(frame->events)};
}

}  // namespace bidboard
