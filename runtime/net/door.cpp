#include "runtime/net/door.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>

#include "blackboard/fmt.hpp"
#include "runtime/home/random_bytes.hpp"
#include "runtime/net/wire.hpp"

namespace bidboard {
namespace {

/// Messages that ZeroMQ keeps for a peer, or a follower of the feed, that does not read. Few, since ZeroMQ
/// counts messages and not their bytes; the rest waits in a Backlog.
constexpr int outgoing_max = 64;
/// The limit of that backlog per peer, and how long it may wait without anything being read.
constexpr std::size_t backlog_bytes_max = 8 << 20;
constexpr std::chrono::seconds backlog_patience(2);
/// Over TCP: how long a handshake may take.
constexpr std::chrono::milliseconds handshake_max(10'000);

constexpr int broken_handshake = ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

// Routing ids of peers: a byte that says who made the id, and four more, whose number is our PeerId.
constexpr char made_by_zmq = '\0';   ///< ROUTER names anonymous peers so
constexpr char made_by_door = '\1';  ///< see Naming

std::string routing_id_of(PeerId peer, char maker) {
  const std::uint64_t number = peer.value - 1;
  std::string id(1, maker);
  for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(number >> shift);
  return id;
}

/// 0: the peer has chosen its routing id itself.
PeerId peer_of(std::string_view routing_id, char maker) {
  if (routing_id.size() != 5 || routing_id[0] != maker) return {};
  std::uint64_t number = 0;
  for (std::size_t i = 1; i < 5; ++i) number = number << 8 | static_cast<unsigned char>(routing_id[i]);
  return {number + 1};
}

/// The property of a handshake that carries a routing id.
constexpr const char* routing_id_property = "Identity";
/// Whether the peer of this message chose its routing id.
bool chose_its_routing_id(zmq::message_t& message) {
  const char* chosen = zmq_msg_gets(message.handle(), routing_id_property);
  return chosen && *chosen != '\0';
}
std::string metadata(std::string_view name, std::string_view value) {
  std::string out(1, static_cast<char>(name.size()));
  out += name;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value.size() >> shift);
  return out.append(value);
}

/// How an admission is attached to each message of its connection, as ZAP's user id.
constexpr const char* user_property = "User-Id";
std::string user_of(const Admission& admission) { return (admission.operates ? "+" : "-") + admission.key; }
Origin origin_of(zmq::message_t& message) {
  const char* user = zmq_msg_gets(message.handle(), user_property);
  if (!user || *user == '\0') return {"?", false};  // not a peer that we admitted
  return {user + 1, *user == '+'};
}

/// The far end of a TCP connection, while it lasts.
std::string address_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  std::array<char, NI_MAXHOST> host{};
  if (::getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0 ||
      (address.ss_family != AF_INET && address.ss_family != AF_INET6) ||
      ::getnameinfo(reinterpret_cast<sockaddr*>(&address), size, host.data(), host.size(), nullptr, 0,
                    NI_NUMERICHOST) != 0)
    return "an unknown address";
  return host.data();
}

/// What ZAP reports about a peer: for a local one "localhost:UID:GID:PID" where the system provides it, for a
/// remote one its address.
Knock knock_of(const std::vector<std::string>& request) {
  Knock knock;
  knock.from = request[3];
  if (request[5] == "CURVE") {
    knock.remote = true;
    if (request.size() > 6) knock.key = request[6];
    return knock;
  }
  const std::size_t colon = knock.from.find(':');
  unsigned uid = 0, gid = 0;
  long pid = 0;
  if (colon != std::string::npos &&
      std::sscanf(knock.from.c_str() + colon, ":%u:%u:%ld", &uid, &gid, &pid) == 3) {
    knock.uid = uid;
    knock.from = fmt::format("process {} of user {}", pid, uid);
  }
  return knock;
}

/// Names the peers of a TCP door, so that none can name itself. A ROUTER aborts its process when an id that
/// it makes is in use, and its ids can be guessed: a peer that chose the next one as its routing id would
/// stop the controller. ZeroMQ does not put the chosen id into the ZAP request, so it cannot be refused
/// there; but what the ZAP reply says about a peer replaces what the peer said, provided that it is read
/// later. With CURVE the peer has spoken before ZAP is asked. With NULL, on local doors, it may speak
/// afterwards.
class Naming {
 public:
  explicit Naming(zmq::context_t& context)
      : nowhere_(context, zmq::socket_type::dealer), events_(context, zmq::socket_type::pair) {
    for (zmq::socket_t* socket : {&nowhere_, &events_}) socket->set(zmq::sockopt::linger, 0);
    nowhere_.set(zmq::sockopt::reconnect_ivl, 3'600'000);
    events_.set(zmq::sockopt::rcvtimeo, static_cast<int>(handshake_max.count()));
    if (zmq_socket_monitor(nowhere_.handle(), "inproc://nowhere", ZMQ_EVENT_CONNECT_RETRIED) != 0)
      throw zmq::error_t();
    events_.connect("inproc://nowhere");
  }
  ~Naming() { zmq_socket_monitor(nowhere_.handle(), nullptr, 0); }
  Naming(const Naming&) = delete;
  Naming& operator=(const Naming&) = delete;

  /// What the ZAP reply says about the next peer.
  std::string next() {
    await_io_thread();
    last_.value = last_.value % UINT32_MAX + 1;
    return metadata(routing_id_property, routing_id_of(last_, made_by_door));
  }

 private:
  /// Returns when the I/O thread, of which a door's context has one, has ended what it was doing: here,
  /// reading the metadata of the peer for which it asked. It does one thing after the other, and is now asked
  /// to connect to what cannot exist.
  void await_io_thread() {
    constexpr const char* no_such_place = "ipc:///dev/null/nowhere";
    nowhere_.connect(no_such_place);
    zmq::message_t part;
    do static_cast<void>(events_.recv(part));
    while (events_.get(zmq::sockopt::rcvmore));
    nowhere_.disconnect(no_such_place);
  }

  zmq::socket_t nowhere_;
  zmq::socket_t events_;
  PeerId last_{};
};

/// The open connections of one of a door's sockets, according to its monitor.
struct Monitor {
  zmq::socket_t& watched;
  zmq::socket_t events;
  std::map<int, std::string> open;  ///< address by descriptor
  bool broke_off = false;           ///< the next one to close failed its handshake

  Monitor(zmq::context_t& context, zmq::socket_t& whom, const std::string& address)
      : watched(whom), events(context, zmq::socket_type::pair) {
    // Unbounded: events that are not read here would block everything that the socket does.
    events.set(zmq::sockopt::rcvhwm, 0);
    events.set(zmq::sockopt::linger, 0);
    constexpr int wanted = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | broken_handshake;
    if (zmq_socket_monitor(watched.handle(), address.c_str(), wanted) != 0) throw zmq::error_t();
    events.connect(address);
  }
  /// Before the events' reader is destroyed: ZeroMQ leaks the memory of an event that is not read.
  ~Monitor() { zmq_socket_monitor(watched.handle(), nullptr, 0); }
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  void take(bool tcp, const std::function<void(const std::string&, const std::string&)>& on_refused) {
    zmq::message_t event, ignored;
    while (events.recv(event, zmq::recv_flags::dontwait)) {
      static_cast<void>(events.recv(ignored, zmq::recv_flags::dontwait));
      if (event.size() < 6) continue;
      std::uint16_t what = 0;
      std::int32_t value = 0;
      std::memcpy(&what, event.data<char>(), sizeof what);
      std::memcpy(&value, event.data<char>() + sizeof what, sizeof value);
      if (what == ZMQ_EVENT_ACCEPTED) {
        open[value] = tcp ? address_of(value) : "this machine";
      } else if ((what & broken_handshake) != 0) {
        // Its end follows at once. A local peer that closes this early was only stopped.
        broke_off = tcp || what == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
      } else if (what == ZMQ_EVENT_DISCONNECTED) {
        const auto at = open.find(value);
        if (at == open.end()) continue;
        if (std::exchange(broke_off, false))
          on_refused(at->second, tcp ? "it did not show a key made for this board"
                                     : "it does not speak Bidboard's protocol");
        open.erase(at);
      }
    }
  }
};

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
  std::optional<Naming> naming;  ///< none: ZeroMQ names the peers
  std::uint64_t undelivered = 0;
  bool followed = false;  ///< the feed has a subscriber

  struct Backlog {
    std::deque<std::string> frames;
    std::size_t bytes = 0;
    std::chrono::steady_clock::time_point moved;  ///< when the peer last took something
  };
  std::map<PeerId, Backlog> backlogs;

  explicit Impl(DoorOptions o) : options(std::move(o)), tcp(options.endpoint.starts_with("tcp:")) {
    if (tcp) naming.emplace(context);
    zap.set(zmq::sockopt::linger, 0);
    zap.bind("inproc://zeromq.zap.01");  // before anyone can connect
    for (zmq::socket_t* socket : {&router, &feed}) set_up(*socket);
    router.set(zmq::sockopt::router_mandatory, true);
    router.bind(options.endpoint);
    options.endpoint = router.get(zmq::sockopt::last_endpoint);
    if (options.feed_endpoint.empty()) return;
    feed.bind(options.feed_endpoint);
    options.feed_endpoint = feed.get(zmq::sockopt::last_endpoint);
  }

  void set_up(zmq::socket_t& socket) const {
    wire::set_common_options(socket);
    socket.set(zmq::sockopt::sndhwm, outgoing_max);
    socket.set(zmq::sockopt::zap_domain, "bidboard");  // without a domain ZeroMQ does not ask ZAP
    if (!tcp) return;
    wire::set_tcp_options(socket);
    socket.set(zmq::sockopt::ipv6, options.endpoint.find('[') != std::string::npos);
    socket.set(zmq::sockopt::handshake_ivl, static_cast<int>(handshake_max.count()));
    socket.set(zmq::sockopt::curve_server, true);
    socket.set(zmq::sockopt::curve_secretkey, zmq::buffer(options.secret_key));
  }

  char id_maker() const { return naming ? made_by_door : made_by_zmq; }

  enum class Sent { yes, full, gone };
  Sent try_send(PeerId to, const std::string& bytes) {
    try {
      const bool sent = router.send(zmq::buffer(routing_id_of(to, id_maker())),
                                    zmq::send_flags::sndmore | zmq::send_flags::dontwait) &&
                        router.send(zmq::buffer(bytes), zmq::send_flags::dontwait);
      return sent ? Sent::yes : Sent::full;
    } catch (const zmq::error_t&) {
      return Sent::gone;  // "Host unreachable": the lease or the client's timeout will show it
    }
  }

  void keep(PeerId to, std::string bytes) {
    const auto [at, fresh] = backlogs.try_emplace(to);
    Backlog& backlog = at->second;
    if (fresh) backlog.moved = std::chrono::steady_clock::now();
    if (backlog.bytes + bytes.size() > backlog_bytes_max) {
      undelivered += 1;
      return;
    }
    backlog.bytes += bytes.size();
    backlog.frames.push_back(std::move(bytes));
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
    std::string from = "an unknown address";
    if (request.size() < 6) {
      request.resize(6);
    } else {
      Knock knock = knock_of(request);
      knock.open = router_monitor.open.size() + feed_monitor.open.size();
      admission = options.may_enter(knock);
      from = knock.from;
    }
    using Verdict = Admission::Verdict;
    if (admission.verdict != Verdict::welcome) options.on_refused(from, admission.why);
    const char* status = admission.verdict == Verdict::welcome ? "200"
                         : admission.verdict == Verdict::full  ? "500"
                                                               : "400";
    std::string name = naming && admission.verdict == Verdict::welcome ? naming->next() : std::string();
    const std::array<std::string, 6> reply{"1.0",         request[1],         status,
                                           admission.why, user_of(admission), std::move(name)};
    for (std::size_t i = 0; i < reply.size(); ++i)
      zap.send(zmq::buffer(reply[i]),
               i + 1 < reply.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
    return true;
  }

  void take_events() {
    router_monitor.take(tcp, options.on_refused);
    feed_monitor.take(tcp, options.on_refused);
  }
};

namespace {

/// A ROUTER's ids begin at a number from rand(), which nobody else here uses. Unseeded, every local process
/// would know them (see Naming).
void make_ids_unpredictable() {
  if (const Result<std::uint64_t> seed = random_number()) std::srand(static_cast<unsigned>(*seed));
}

}  // namespace

Door::Door(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Door::~Door() = default;

Result<std::unique_ptr<Door>> Door::open(DoorOptions options) {
  const std::string endpoint = options.endpoint;
  if (endpoint.starts_with("tcp://"))
    if (const Result<void> can = wire::check_curve(); !can) return fail(can.error());
  make_ids_unpredictable();
  try {
    return std::unique_ptr<Door>(new Door(std::make_unique<Impl>(std::move(options))));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, fmt::format("cannot listen at {}: {}", endpoint, error.what()));
  }
}

const std::string& Door::endpoint() const { return impl_->options.endpoint; }
const std::string& Door::feed_endpoint() const { return impl_->options.feed_endpoint; }
std::uint64_t Door::undelivered() const { return impl_->undelivered; }
bool Door::followed() const { return impl_->followed; }

std::vector<void*> Door::sockets() const {
  return {impl_->router.handle(), impl_->feed.handle(), impl_->zap.handle(),
          impl_->router_monitor.events.handle(), impl_->feed_monitor.events.handle()};
}

void Door::answer_knocks() {
  while (impl_->answer_knock()) {
  }
  impl_->take_events();
}

/// An XPUB socket reports the first subscription and the end of the last one: 1 or 0, then the topic.
bool Door::take_follower() {
  const bool before = impl_->followed;
  zmq::message_t word;
  while (impl_->feed.recv(word, zmq::recv_flags::dontwait))
    if (word.size() > 0) impl_->followed = *word.data<char>() == 1;
  return impl_->followed && !before;
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
  const PeerId peer = peer_of(wire::view(id), impl_->id_maker());
  if (!impl_->naming && chose_its_routing_id(body)) {
    impl_->options.on_refused("this machine", "it chose its own routing id");
    return FromPeer{};
  }
  Origin origin = origin_of(body);
  if (parts != 1) return FromPeer{peer, Malformed{"a message has exactly one frame"}, 0, std::move(origin)};
  return FromPeer{peer, wire::read_frame(wire::view(body)), digest(wire::view(body)), std::move(origin)};
}

void Door::send(PeerId to, std::string bytes) {
  const bool in_turn = !impl_->backlogs.contains(to);
  const Impl::Sent sent = in_turn ? impl_->try_send(to, bytes) : Impl::Sent::full;
  if (sent == Impl::Sent::full) impl_->keep(to, std::move(bytes));
  if (sent == Impl::Sent::gone) impl_->undelivered += 1;
}

/// A peer that has not read anything for too long loses its backlog.
bool Door::send_backlogs() {
  const auto now = std::chrono::steady_clock::now();
  auto& backlogs = impl_->backlogs;
  for (auto at = backlogs.begin(); at != backlogs.end();) {
    Impl::Backlog& backlog = at->second;
    Impl::Sent sent = Impl::Sent::yes;
    while (!backlog.frames.empty() &&
           (sent = impl_->try_send(at->first, backlog.frames.front())) == Impl::Sent::yes) {
      backlog.bytes -= backlog.frames.front().size();
      backlog.frames.pop_front();
      backlog.moved = now;
    }
    const bool given_up = sent == Impl::Sent::gone || now - backlog.moved > backlog_patience;
    if (given_up) impl_->undelivered += backlog.frames.size();
    at = given_up || backlog.frames.empty() ? backlogs.erase(at) : std::next(at);
  }
  return !backlogs.empty();
}

void Door::publish(std::string_view bytes) {
  if (impl_->followed)
    static_cast<void>(impl_->feed.send(zmq::buffer(bytes.data(), bytes.size()), zmq::send_flags::dontwait));
}

}  // namespace bidboard
