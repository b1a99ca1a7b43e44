#include "runtime/net/door.hpp"

#include <map>

#include "blackboard/fmt.hpp"
#include "runtime/net/monitor.hpp"
#include "runtime/net/outgoing.hpp"
#include "runtime/net/wire.hpp"
#include "runtime/net/zap.hpp"

namespace bidboard {
namespace {

/// Messages, each of at most a frame, that ZeroMQ takes from a peer before they are read here. Few, since it
/// counts messages and not their bytes; the peer waits meanwhile.
constexpr int incoming_max = 8;
/// The same for messages to a peer (see Outgoing) ...
constexpr int outgoing_max = 64;
/// ... and to a follower of the feed, which misses the rest.
constexpr int feed_pieces_max = 64;
/// A follower subscribes to everything, in one byte; more is needed for its handshake.
constexpr std::int64_t follower_bytes_max = 1024;
/// What may wait in all for followers that do not read.
constexpr std::size_t feed_bytes_max = 128 << 20;
/// Over TCP: how long a handshake may take.
constexpr std::chrono::milliseconds handshake_max(10'000);

}  // namespace

struct Door::Impl {
  DoorOptions options;
  bool tcp = false;
  zmq::context_t context{1};
  zmq::socket_t zap{context, zmq::socket_type::rep};
  zmq::socket_t router{context, zmq::socket_type::router};
  zmq::socket_t feed{context, zmq::socket_type::xpub};
  Monitor router_monitor{context, router, "inproc://router"};
  Monitor feed_monitor{context, feed, "inproc://feed"};
  std::optional<zap::Naming> naming;  ///< none: ZeroMQ names the peers
  std::optional<Outgoing> outgoing;
  struct Peer {
    int fd = -1;
    std::string name;
  };
  std::map<PeerId, Peer> peers;  ///< that have sent a message
  std::map<int, PeerId> by_fd;
  ByteCount feed_bytes = std::make_shared<std::atomic<std::size_t>>(0);
  ByteCount uncounted = std::make_shared<std::atomic<std::size_t>>(0);

  explicit Impl(DoorOptions o) : options(std::move(o)), tcp(options.endpoint.starts_with("tcp:")) {
    if (tcp) naming.emplace(context);
    zap.set(zmq::sockopt::linger, 0);
    zap.bind("inproc://zeromq.zap.01");  // before anyone can connect
    for (zmq::socket_t* socket : {&router, &feed}) set_up(*socket);
    router.set(zmq::sockopt::sndhwm, outgoing_max);
    feed.set(zmq::sockopt::sndhwm, feed_pieces_max);
    feed.set(zmq::sockopt::maxmsgsize, follower_bytes_max);
    outgoing.emplace(router, id_maker(), options.outgoing,
                     [this](PeerId peer, const std::string& why) { cut(peer, why); });
    router.set(zmq::sockopt::router_mandatory, true);
    router.bind(options.endpoint);
    options.endpoint = router.get(zmq::sockopt::last_endpoint);
    if (options.feed_endpoint.empty()) return;
    feed.bind(options.feed_endpoint);
    options.feed_endpoint = feed.get(zmq::sockopt::last_endpoint);
  }

  void set_up(zmq::socket_t& socket) const {
    wire::set_common_options(socket);
    socket.set(zmq::sockopt::rcvhwm, incoming_max);
    socket.set(zmq::sockopt::zap_domain, "bidboard");  // without a domain ZeroMQ does not ask ZAP
    if (!tcp) return;
    wire::set_tcp_options(socket);
    socket.set(zmq::sockopt::ipv6, options.endpoint.find('[') != std::string::npos);
    socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(handshake_max.count()));
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(options.secret_key));
  }

  char id_maker() const { return naming ? zap::made_by_door : zap::made_by_zmq; }

  void cut(PeerId peer, const std::string& why) {
    take_events();  // so that the descriptor is not yet another connection's: who is gone is unknown then
    const auto at = peers.find(peer);
    if (at == peers.end()) return;
    const Peer who = at->second;
    peers.erase(at);
    by_fd.erase(who.fd);
    cut(router_monitor, who.fd, who.name, why);
  }
  void cut(const Monitor& monitor, int fd, const std::string& name, const std::string& why) {
    monitor.cut(fd);
    options.on_refused(name, "it was cut off: " + why);
  }

  /// Ends the connection on which the message came.
  void cut(const Monitor& monitor, zmq::message_t& message, const std::string& why) {
    take_events();
    cut(monitor, zap::descriptor_of(message), zap::name_of(message), why);
  }

  void note_peer(PeerId peer, zmq::message_t& message) {
    if (peers.contains(peer)) return;
    const int fd = zap::descriptor_of(message);
    if (const auto before = by_fd.find(fd); before != by_fd.end()) {
      outgoing->forget(before->second);
      peers.erase(before->second);
    }
    peers[peer] = {fd, zap::name_of(message)};
    if (fd >= 0) by_fd[fd] = peer;
  }

  /// The next connection that asks to be admitted, if there is one.
  bool answer_knock() {
    std::vector<std::string> request;
    zmq::message_t part;
    if (!zap.recv(part, zmq::recv_flags::dontwait)) return false;
    request.push_back(part.to_string());
    while (zap.get(zmq::sockopt::rcvmore)) {
      static_cast<void>(zap.recv(part, zmq::recv_flags::dontwait));
      request.push_back(part.to_string());
    }
    take_events();  // so that the new connection has been counted
    Admission admission;
    ConnectionRequest connection;
    connection.from = "an unknown address";
    if (request.size() < 6) {
      request.resize(6);
    } else {
      connection = zap::connection_of(request);
      connection.open = router_monitor.open.size() + feed_monitor.open.size();
      admission = options.may_enter(connection);
    }
    const bool welcome = admission.verdict == Admission::Verdict::welcome;
    if (!welcome) options.on_refused(connection.from, admission.why);
    const std::vector<std::string> reply =
        zap::reply_to(request, connection, admission, naming && welcome ? naming->next() : std::string());
    for (std::size_t i = 0; i < reply.size(); ++i)
      zap.send(zmq::buffer(reply[i]),
               i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    return true;
  }

  void take_events() {
    router_monitor.take(tcp, options.on_refused);
    feed_monitor.take(tcp, options.on_refused);
    feed_monitor.closed.clear();
    for (const int fd : std::exchange(router_monitor.closed, {})) {
      const auto at = by_fd.find(fd);
      if (at == by_fd.end()) continue;
      const PeerId peer = at->second;
      by_fd.erase(at);
      peers.erase(peer);
      outgoing->forget(peer);
    }
  }
};

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Door::~Door() = default;

Result<std::unique_ptr<Door>> Door::open(DoorOptions options) {
  const std::string endpoint = options.endpoint;
  if (endpoint.starts_with("tcp://"))
    if (const Result<void> can = wire::check_curve(); !can) return fail(can.error());
  zap::make_ids_unpredictable();
  try {
    return std::unique_ptr<Door>(new Door(std::make_unique<Impl>(std::move(options))));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, fmt::format("cannot listen at {}: {}", endpoint, error.what()));
  }
}

const std::string& Door::endpoint() const { return impl_->options.endpoint; }
const std::string& Door::feed_endpoint() const { return impl_->options.feed_endpoint; }
std::uint64_t Door::undelivered() const { return impl_->outgoing->undelivered(); }
bool Door::followed() const { return !impl_->feed_monitor.open.empty(); }

std::vector<void*> Door::sockets() const {
  return {impl_->router.handle(), impl_->feed.handle(), impl_->zap.handle(),
          impl_->router_monitor.events.handle(), impl_->feed_monitor.events.handle()};
}

void Door::answer_knocks() {
  while (impl_->answer_knock()) {
  }
  impl_->take_events();
}

/// An XPUB socket reports the first subscription to a topic and the end of the last one: 1 or 0, then the
/// topic. Followers want all, so a topic is a stranger's.
bool Door::take_follower() {
  bool follower = false;
  zmq::message_t word;
  while (impl_->feed.recv(word, zmq::recv_flags::dontwait)) {
    const char what = word.size() > 0 ? *word.data<char>() : '?';
    if (word.size() == 1 && (what == 0 || what == 1)) {
      follower = follower || what == 1;
      continue;
    }
    impl_->cut(impl_->feed_monitor, word, "the feed has no topics");
  }
  return follower;
}

std::optional<FromPeer> Door::receive(std::size_t& bytes) {
  zmq::message_t id;
  if (!impl_->router.recv(id, zmq::recv_flags::dontwait)) return {};
  zmq::message_t body;
  std::size_t parts = 0;
  while (impl_->router.get(zmq::sockopt::rcvmore)) {
    static_cast<void>(impl_->router.recv(body, zmq::recv_flags::dontwait));
    ++parts;
  }
  bytes += body.size();
  const PeerId peer = zap::peer_of(wire::view(id), impl_->id_maker());
  if (peer.value == 0 || (!impl_->naming && zap::has_chosen_routing_id(body))) {
    impl_->cut(impl_->router_monitor, body, "it chose its own routing id");
    return FromPeer{};
  }
  impl_->note_peer(peer, body);
  Origin origin = zap::origin_of(body);
  if (parts != 1) return FromPeer{peer, Malformed{"a message has exactly one frame"}, 0, std::move(origin)};
  return FromPeer{peer, wire::read_frame(wire::view(body)), digest(wire::view(body)), std::move(origin)};
}

void Door::send(PeerId to, std::string bytes) { impl_->outgoing->send(to, std::move(bytes)); }
bool Door::send_backlogs() { return impl_->outgoing->send_backlogs(); }

void Door::publish(std::string_view bytes) {
  if (!followed()) return;
  if (*impl_->feed_bytes > feed_bytes_max) {
    // ZeroMQ does not tell for whom it waits. Who reads connects again.
    impl_->take_events();
    for (const auto& [fd, address] : impl_->feed_monitor.open) impl_->feed_monitor.cut(fd);
    impl_->options.on_refused("the feed's followers", "they were cut off: some do not read");
    return;
  }
  zmq::message_t message = counted_message(std::string(bytes), impl_->feed_bytes, impl_->uncounted);
  static_cast<void>(impl_->feed.send(message, zmq::send_flags::dontwait));
}

}  // namespace bidboard
