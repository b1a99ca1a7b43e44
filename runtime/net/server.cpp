#include "runtime/net/server.hpp"

#include <unistd.h>

#include <chrono>
#include <optional>
#include <thread>

#include "blackboard/text/endpoint.hpp"
#include "runtime/home/socket_folder.hpp"
#include "runtime/net/door.hpp"
#include "runtime/net/peer_links.hpp"
#include "runtime/net/wire.hpp"

namespace bidboard {
namespace {

/// While a backlog waits for a peer that does not read, sending is tried again this often.
constexpr Duration backlog_interval = milliseconds(5);
/// A peer's number on its door takes 33 bits; the bits above identify the door.
constexpr int door_shift = 33;

/// How long a controller that was killed may take to close its socket. It gives up the board's lock a moment
/// before, and its agents come back to this address only.
constexpr std::chrono::seconds predecessor_patience(2);

/// Whether a process listens at this socket, and goes on to.
bool stays_answered(const std::string& socket) {
  const auto give_up = std::chrono::steady_clock::now() + predecessor_patience;
  while (is_answered(socket)) {
    if (std::chrono::steady_clock::now() >= give_up) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// ZeroMQ would take a socket over from a process that still listens there.
Result<std::string> take_folder(const std::vector<std::string>& folders) {
  Error why{Errc::unavailable, "no folder for sockets was given"};
  for (const std::string& folder : folders) {
    if (const Result<void> made = make_private_folder(folder); !made)
      why = made.error();
    else if (stays_answered(folder + "/c"))
      why = {Errc::unavailable, fmt::format("another controller listens in {}", folder)};
    else
      return folder;
  }
  return fail(why);
}

}  // namespace

struct Server::Impl {
  ServerOptions options;
  std::string folder;
  std::unique_ptr<Door> local;
  std::unique_ptr<Door> remote;     ///< none: no TCP
  std::uint64_t remote_serial = 0;  ///< counts the TCP doors: peers of a closed one are unknown
  bool remote_first = false;

  Door* door_of(PeerId peer) const {
    const std::uint64_t serial = peer.value >> door_shift;
    if (serial == 0) return local.get();
    return serial == remote_serial ? remote.get() : nullptr;
  }

  DoorOptions door(std::string endpoint, std::string feed) const {
    DoorOptions made;
    made.endpoint = std::move(endpoint);
    made.feed_endpoint = std::move(feed);
    made.may_enter = options.may_enter;
    made.on_refused = options.on_refused;
    return made;
  }

  Result<void> open_remote(const std::string& endpoint, const std::string& feed) {
    DoorOptions wanted = door(endpoint, feed);
    wanted.secret_key = options.secret_key;
    Result<std::unique_ptr<Door>> opened = Door::open(std::move(wanted));
    if (!opened) return fail(opened.error());
    remote = std::move(*opened);
    remote_serial += 1;
    return {};
  }

  /// Takes messages of one door while the batch has room.
  template <class Room>
  void drain(Door* door, std::uint64_t serial, Arrived& arrived, std::size_t& bytes, const Room& room) {
    while (door && room()) {
      std::optional<FromPeer> message = door->receive(bytes);
      if (!message) return;
      if (message->peer.value == 0) continue;
      message->peer.value |= serial << door_shift;
      arrived.inputs.push_back(std::move(*message));
    }
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  const std::string folder = impl_->folder;
  impl_.reset();
  for (const char* socket : {"/c", "/f"}) ::unlink((folder + socket).c_str());
  remove_dead_peer_sockets(folder);
  ::rmdir(folder.c_str());
}

Result<std::unique_ptr<Server>> Server::open(ServerOptions options) {
  Result<std::string> folder = take_folder(options.folders);
  if (!folder) return fail(folder.error());
  auto impl = std::make_unique<Impl>();
  impl->options = std::move(options);
  impl->folder = std::move(*folder);
  const std::string ipc = "ipc://" + impl->folder;
  Result<std::unique_ptr<Door>> local = Door::open(impl->door(ipc + "/c", ipc + "/f"));
  if (!local) return fail(local.error());
  impl->local = std::move(*local);
  std::unique_ptr<Server> server(new Server(std::move(impl)));  // removes the folder if the rest fails
  const std::string& tcp = server->impl_->options.tcp;
  if (tcp.empty()) return server;
  const auto endpoints = tcp_endpoints(tcp);
  if (!endpoints) return fail(endpoints.error());
  if (const Result<void> opened = server->impl_->open_remote(endpoints->first, endpoints->second); !opened)
    return fail(opened.error());
  return server;
}

const std::string& Server::endpoint() const { return impl_->local->endpoint(); }
const std::string& Server::feed_endpoint() const { return impl_->local->feed_endpoint(); }
std::string Server::tcp_endpoint() const { return impl_->remote ? impl_->remote->endpoint() : ""; }
std::string Server::tcp_feed_endpoint() const { return impl_->remote ? impl_->remote->feed_endpoint() : ""; }
std::uint64_t Server::undelivered() const {
  return impl_->local->undelivered() + (impl_->remote ? impl_->remote->undelivered() : 0);
}

Result<void> Server::reopen_tcp() {
  if (!impl_->remote) return {};
  const std::string endpoint = tcp_endpoint(), feed = tcp_feed_endpoint();
  impl_->remote.reset();
  return impl_->open_remote(endpoint, feed);
}

Arrived Server::wait(Duration timeout, const std::vector<int>& descriptors) {
  Door* const doors[] = {impl_->local.get(), impl_->remote.get()};
  std::vector<zmq::pollitem_t> items;
  bool waits = false;
  for (Door* door : doors) {
    if (!door) continue;
    for (void* socket : door->sockets()) items.push_back({socket, 0, ZMQ_POLLIN, 0});
    if (door->send_backlogs()) waits = true;
  }
  for (const int fd : descriptors) items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  if (waits) timeout = timeout.us < 0 ? backlog_interval : std::min(timeout, backlog_interval);
  Arrived arrived;
  arrived.interrupted = wire::poll(items, timeout).interrupted;
  for (Door* door : doors) {
    if (!door) continue;
    door->answer_knocks();
    if (door->take_follower()) arrived.follower = true;
  }
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::microseconds(batch_time_max.us);
  std::size_t bytes = 0;
  const auto room = [&] {
    return arrived.inputs.size() < batch_inputs_max && bytes < batch_bytes_max && Clock::now() < until;
  };
  // Alternating, so that a flood on one door cannot block the other.
  const bool remote_first = std::exchange(impl_->remote_first, !impl_->remote_first);
  if (remote_first) impl_->drain(doors[1], impl_->remote_serial, arrived, bytes, room);
  impl_->drain(doors[0], 0, arrived, bytes, room);
  if (!remote_first) impl_->drain(doors[1], impl_->remote_serial, arrived, bytes, room);
  return arrived;
}

void Server::send(PeerId to, const Message& message) {
  if (Door* door = impl_->door_of(to))
    door->send({to.value & ((std::uint64_t{1} << door_shift) - 1)}, encode(Frame{protocol_version, message}));
}

void Server::publish(Seq first, const std::vector<std::string>& events) {
  const bool remote = impl_->remote && impl_->remote->followed();
  if (!impl_->local->followed() && !remote) return;
  FeedFrame frame{first, {}};
  std::size_t bytes = 0;
  const auto send = [&] {
    const std::string encoded = encode(frame);
    impl_->local->publish(encoded);
    if (remote) impl_->remote->publish(encoded);
    frame = {{frame.first.value + frame.events.size()}, {}};
    bytes = 0;
  };
  for (const std::string& event : events) {
    if (bytes > 0 && bytes + event.size() > message_bytes_max) send();
    bytes += event.size();
    frame.events.push_back(event);
  }
  send();
}

}  // namespace bidboard
