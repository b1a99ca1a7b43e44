#include "runtime/net/client.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/core/greeting.hpp"
#include "runtime/net/wire.hpp"

namespace bidboard {
namespace {

constexpr int reconnect_ms = 20;
constexpr int reconnect_max_ms = 1000;
/// ZeroMQ gives up on a controller that replied "full"; we do not, and try again this often.
constexpr std::chrono::milliseconds full_pause(500);
/// After this many handshakes were cut off in a row, it is not an accident.
constexpr int broken_handshakes_max = 5;
/// A feed that is silent for this long is reconnected.
constexpr std::chrono::seconds silence_max(25);
/// Messages taken at once; the rest waits for the next call.
constexpr std::size_t drain_max = 1024;
/// A connection was made, lost or refused: callers that wait for an answer must check whether it can still
/// come.
constexpr int events_that_wake = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED |
                                 ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH |
                                 wire::broken_handshake;
constexpr const char* monitor_address = "inproc://monitor";

/// The status with which a controller that is full turns a connection away (zap.cpp: reply_to).
constexpr int status_full = 500;

void set_up(zmq::socket_t& socket, const std::string& endpoint, const std::optional<CurveKeys>& keys) {
  wire::set_common_options(socket);
  socket.set(zmq::sockopt::reconnect_ivl, reconnect_ms);
  socket.set(zmq::sockopt::reconnect_ivl_max, reconnect_max_ms);
  if (!keys) return;
  wire::set_tcp_options(socket);
  socket.set(zmq::sockopt::ipv6, endpoint.find('[') != std::string::npos);
  socket.set(zmq::sockopt::curve_serverkey, zmq::buffer(keys->server));
  socket.set(zmq::sockopt::curve_publickey, zmq::buffer(keys->own.public_key));
  socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(keys->own.secret_key));
}

Result<void> may_try(const std::string& endpoint, const std::optional<CurveKeys>& keys) {
  if (endpoint.starts_with("tcp://") && !keys)
    return fail(
        Errc::invalid,
        fmt::format("the controller at {} requires a key; create one on its machine with `bidboard keys add`",
                    endpoint));
  if (keys)
    if (const Result<void> can = wire::check_curve(); !can) return can;
  if (!endpoint.starts_with("tcp://") && keys)
    return fail(Errc::invalid, "a key is only used with tcp://HOST:PORT, not with " + endpoint);
  return {};
}

using Clock = std::chrono::steady_clock;

}  // namespace

struct Connection::Impl {
  std::string endpoint;
  std::optional<CurveKeys> keys;
  zmq::context_t context{1};
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
  zmq::socket_t monitor{context, zmq::socket_type::pair};
  int broken_handshakes = 0;
  bool was_let_in = false;
  std::string board_id;  ///< empty: any board
  bool greets = false;   ///< the next message must say which
  bool made = false;     ///< the connection, as far as ZeroMQ is concerned
  std::optional<Clock::time_point>
      again_at;  ///< when to try again: the controller was full, and ZeroMQ has given up on it

  Impl(std::string e, std::optional<CurveKeys> k, std::string board)
      : endpoint(std::move(e)), keys(std::move(k)), board_id(std::move(board)), greets(!board_id.empty()) {
    set_up(dealer, endpoint, keys);
    dealer.set(zmq::sockopt::immediate, true);
    monitor.set(zmq::sockopt::linger, 0);
    if (zmq_socket_monitor(dealer.handle(), monitor_address, events_that_wake) != 0) throw zmq::error_t();
    monitor.connect(monitor_address);
    dealer.connect(endpoint);
  }
  /// Before the monitor's reader is destroyed: ZeroMQ leaks the memory of an event that is not read.
  ~Impl() { zmq_socket_monitor(dealer.handle(), nullptr, 0); }

  void take_event(int what, int value, Incoming& incoming) {
    if (what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) {
      was_let_in = made = true;
      greets = !board_id.empty();
      incoming.connected = !greets;
      incoming.trouble.reset();
      broken_handshakes = 0;
    } else if (what == ZMQ_EVENT_DISCONNECTED) {
      made = false;
      greets = !board_id.empty();
    } else if (what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH && value == status_full) {
      incoming.trouble =
          Error{Errc::unavailable,
                fmt::format("the controller at {} has reached its connection limit; trying again", endpoint)};
      again_at = Clock::now() + full_pause;
    } else if (what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) {
      incoming.trouble =
          Error{Errc::refused,
                fmt::format("the controller at {} refused the connection: {}", endpoint,
                            (keys ? "it does not allow our key (check `bidboard keys list` on its machine)"
                                  : "the board belongs to another user"))};
    } else if ((what & wire::broken_handshake) != 0 && keys && ++broken_handshakes == broken_handshakes_max) {
      broken_handshakes = 0;
      incoming.trouble =
          Error{was_let_in ? Errc::unavailable : Errc::refused,
                fmt::format("the handshake with {} failed when we showed our key: the key file "
                            "was made for another board, or no controller serves there",
                            endpoint)};
    }
  }

  bool send(const Message& message) {
    try {
      return dealer.send(zmq::buffer(encode(Frame{protocol_version, message})), zmq::send_flags::dontwait)
          .has_value();
    } catch (const zmq::error_t&) {
      return false;
    }
  }

  /// The connection counts as made once the controller has been told which board we mean.
  void greet_if_due(Incoming& incoming) {
    if (!greets || !made || !send(Hello{protocol_version, protocol_version, features_of(board_id)})) return;
    greets = false;
    incoming.connected = true;
  }

  /// Whether the message is an answer to our greeting.
  bool take_greeting(const Message& message, Incoming& incoming) const {
    if (board_id.empty()) return false;
    const auto* welcome = std::get_if<Welcome>(&message);
    const auto* malformed = std::get_if<Malformed>(&message);
    const bool refused = malformed ? malformed->what == another_board
                                   : welcome && names_another_board(welcome->features, board_id);
    if (refused)
      incoming.trouble =
          Error{Errc::refused, fmt::format("{} (the controller at {})", another_board, endpoint)};
    return welcome || refused;
  }

  void take_events(Incoming& incoming) {
    while (const std::optional<wire::SocketEvent> event = wire::next_event(monitor))
      take_event(event->what, event->value, incoming);
  }
};

Connection::Connection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connection::~Connection() = default;

Result<std::unique_ptr<Connection>> Connection::open(const std::string& endpoint,
                                                     const std::optional<CurveKeys>& keys,
                                                     const std::string& board_id) {
  if (const Result<void> ok = may_try(endpoint, keys); !ok) return fail(ok.error());
  try {
    return std::unique_ptr<Connection>(new Connection(std::make_unique<Impl>(endpoint, keys, board_id)));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, fmt::format("cannot connect to {}: {}", endpoint, error.what()));
  }
}

const std::string& Connection::endpoint() const { return impl_->endpoint; }

void Connection::connect_again() {
  try {
    auto fresh = std::make_unique<Impl>(impl_->endpoint, impl_->keys, impl_->board_id);
    fresh->was_let_in = impl_->was_let_in;
    impl_ = std::move(fresh);
  } catch (const zmq::error_t&) {
    impl_->again_at = Clock::now() + full_pause;  // out of descriptors: later
  }
}

Incoming Connection::wait(Duration timeout, const std::vector<Watched>& watched,
                          const std::vector<void*>& sockets) {
  if (impl_->again_at && Clock::now() >= *impl_->again_at) connect_again();
  if (impl_->again_at) {
    const Duration pause = milliseconds(full_pause.count());
    timeout = timeout.us < 0 ? pause : std::min(timeout, pause);
  }
  if (impl_->greets && impl_->made) {
    const Duration pause = milliseconds(reconnect_ms);
    timeout = timeout.us < 0 ? pause : std::min(timeout, pause);
  }
  std::vector<zmq::pollitem_t> items{{impl_->dealer.handle(), 0, ZMQ_POLLIN, 0},
                                     {impl_->monitor.handle(), 0, ZMQ_POLLIN, 0}};
  for (const Watched& item : watched) {
    const int events = (item.read ? ZMQ_POLLIN : 0) | (item.write ? ZMQ_POLLOUT : 0);
    items.push_back({nullptr, item.fd, static_cast<short>(events), 0});
  }
  for (void* socket : sockets) items.push_back({socket, 0, ZMQ_POLLIN, 0});
  Incoming incoming;
  incoming.interrupted = wire::poll(items, timeout).interrupted;
  for (std::size_t i = 2; i < items.size(); ++i)
    if (items[i].revents != 0) incoming.ready = true;
  impl_->take_events(incoming);
  impl_->greet_if_due(incoming);
  zmq::message_t message;
  while (incoming.messages.size() < drain_max && impl_->dealer.recv(message, zmq::recv_flags::dontwait)) {
    Message read = wire::read_frame(wire::view(message));
    if (!impl_->take_greeting(read, incoming)) incoming.messages.push_back(std::move(read));
  }
  return incoming;
}

bool Connection::send(const Message& message) { return !impl_->greets && impl_->send(message); }

std::string forbidden_connection(const std::string& endpoint) {
  constexpr std::string_view scheme = "ipc://";
  sockaddr_un address{};
  const std::string path = endpoint.starts_with(scheme) ? endpoint.substr(scheme.size()) : "";
  if (path.empty() || path.size() >= sizeof address.sun_path) return {};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool connected =
      socket && ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (connected || (errno != EPERM && errno != EACCES)) return {};
  return fmt::format("{} ({})", socket ? path : "no Unix socket may be made", std::strerror(errno));
}

struct Feed::Impl {
  std::string endpoint;
  std::optional<CurveKeys> keys;
  zmq::context_t context{1};
  zmq::socket_t socket{context, zmq::socket_type::sub};
  Clock::time_point heard = Clock::now();

  Impl(std::string e, std::optional<CurveKeys> k) : endpoint(std::move(e)), keys(std::move(k)) {
    set_up(socket, endpoint, keys);
    socket.set(zmq::sockopt::subscribe, "");
    socket.connect(endpoint);
  }
};

Feed::Feed(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Feed::~Feed() = default;

Result<std::unique_ptr<Feed>> Feed::open(const std::string& endpoint, const std::optional<CurveKeys>& keys) {
  if (const Result<void> ok = may_try(endpoint, keys); !ok) return fail(ok.error());
  try {
    return std::unique_ptr<Feed>(new Feed(std::make_unique<Impl>(endpoint, keys)));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, fmt::format("cannot connect to {}: {}", endpoint, error.what()));
  }
}

/// A feed sends at least its last number every ten seconds. A silent one has refused us, which ZeroMQ treats
/// as final.
void Feed::connect_again_if_silent() {
  if (Clock::now() - impl_->heard < silence_max) return;
  impl_->heard = Clock::now();
  try {
    impl_ = std::make_unique<Impl>(impl_->endpoint, impl_->keys);
  } catch (const zmq::error_t&) {
    return;  // out of descriptors: after the next silence
  }
}

std::optional<FeedPiece> Feed::wait(Duration timeout) {
  connect_again_if_silent();
  std::vector<zmq::pollitem_t> items{{impl_->socket.handle(), 0, ZMQ_POLLIN, 0}};
  if (!wire::poll(items, timeout).ready) return {};
  zmq::message_t message;
  if (!impl_->socket.recv(message, zmq::recv_flags::dontwait)) return {};
  Result<FeedFrame> frame = decode<FeedFrame>(wire::view(message));
  if (!frame) return {};
  impl_->heard = Clock::now();
  return FeedPiece{frame->first, std::move(frame->events)};
}

}  // namespace bidboard
