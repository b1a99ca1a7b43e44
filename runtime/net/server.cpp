#include "runtime/net/server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <optional>

#include "blackboard/secrets.hpp"
#include "runtime/net/wire.hpp"
#include "runtime/node.hpp"

namespace bidboard {
namespace {

/// ipc paths must fit into a socket address (108 bytes).
constexpr std::size_t folder_bytes_max = 80;

/// Messages that ZeroMQ keeps for a peer, or a follower of the feed, that does not read. Few, since it counts
/// messages and not their bytes; what does not fit waits in a Backlog.
constexpr int outgoing_max = 64;
/// What waits for one peer beyond that, and for how long without anything being read.
constexpr std::size_t backlog_bytes_max = 8 << 20;
constexpr std::chrono::seconds backlog_patience(2);
/// While something waits so, it is tried again this often.
constexpr Duration backlog_interval = milliseconds(5);

/// ROUTER names anonymous peers by a zero byte and four more; that number is our PeerId.
PeerId peer_of(std::string_view routing_id) {
  if (routing_id.size() != 5 || routing_id[0] != 0) return {};
  std::uint64_t number = 0;
  for (std::size_t i = 1; i < 5; ++i) number = number << 8 | static_cast<unsigned char>(routing_id[i]);
  return {number + 1};
}

std::string routing_id_of(PeerId peer) {
  const std::uint64_t number = peer.value - 1;
  std::string id(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8) id += static_cast<char>(number >> shift);
  return id;
}

Result<void> make_private_folder(const std::string& folder) {
  if (folder.size() > folder_bytes_max)
    return fail(Errc::invalid, "the socket folder's path is longer than 80 bytes: " + folder);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::unavailable, "cannot make " + folder + ": " + std::strerror(errno));
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::getuid() ||
      (info.st_mode & 077) != 0)
    return fail(Errc::refused, folder + " must be a folder of yours with mode 0700");
  return {};
}

}  // namespace

struct Server::Impl {
  zmq::context_t context{1};
  zmq::socket_t router{context, zmq::socket_type::router};
  zmq::socket_t feed{context, zmq::socket_type::xpub};
  std::string endpoint;
  std::string feed_endpoint;
  std::string folder;
  std::uint64_t undelivered = 0;
  bool followed = false;  ///< somebody has subscribed to the feed

  struct Backlog {
    std::deque<std::string> frames;
    std::size_t bytes = 0;
    std::chrono::steady_clock::time_point moved;  ///< something was taken last
  };
  std::map<PeerId, Backlog> backlogs;

  enum class Sent { yes, full, gone };
  Sent try_send(PeerId to, const std::string& bytes) {
    try {
      const bool sent =
          router.send(zmq::buffer(routing_id_of(to)), zmq::send_flags::sndmore | zmq::send_flags::dontwait) &&
          router.send(zmq::buffer(bytes), zmq::send_flags::dontwait);
      return sent ? Sent::yes : Sent::full;
    } catch (const zmq::error_t&) {
      return Sent::gone;  // "Host unreachable": its lease or its client's patience will say so
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

  /// Sends what waits, as far as it is taken; a peer that took nothing for long has lost it.
  void send_backlogs() {
    const auto now = std::chrono::steady_clock::now();
    for (auto at = backlogs.begin(); at != backlogs.end();) {
      Backlog& backlog = at->second;
      Sent sent = Sent::yes;
      while (!backlog.frames.empty() && (sent = try_send(at->first, backlog.frames.front())) == Sent::yes) {
        backlog.bytes -= backlog.frames.front().size();
        backlog.frames.pop_front();
        backlog.moved = now;
      }
      const bool given_up = sent == Sent::gone || now - backlog.moved > backlog_patience;
      if (given_up) undelivered += backlog.frames.size();
      at = given_up || backlog.frames.empty() ? backlogs.erase(at) : std::next(at);
    }
  }

  /// An XPUB socket is told of the first subscription and of the end of the last one: 1 or 0, then the topic.
  bool take_follower() {
    const bool before = followed;
    zmq::message_t word;
    while (feed.recv(word, zmq::recv_flags::dontwait))
      if (word.size() > 0) followed = *word.data<char>() == 1;
    return followed && !before;
  }

  /// One message, if one is there.
  std::optional<FromPeer> receive(std::size_t& bytes) {
    zmq::message_t id;
    if (!router.recv(id, zmq::recv_flags::dontwait)) return {};
    zmq::message_t body;
    std::size_t parts = 0;
    while (router.get(zmq::sockopt::rcvmore)) {
      static_cast<void>(router.recv(body, zmq::recv_flags::dontwait));
      ++parts;
    }
    bytes += body.size();
    const PeerId peer = peer_of(wire::view(id));
    if (parts != 1) return FromPeer{peer, Malformed{"a message has exactly one frame"}};
    return FromPeer{peer, wire::read_frame(wire::view(body)), digest(wire::view(body))};
  }
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  const std::string folder = impl_->folder;
  impl_.reset();
  for (const char* socket : {"/c", "/f"}) ::unlink((folder + socket).c_str());
  ::rmdir(folder.c_str());
}

Result<std::unique_ptr<Server>> Server::open(const std::string& folder) {
  if (const Result<void> made = make_private_folder(folder); !made) return fail(made.error());
  try {
    auto impl = std::make_unique<Impl>();
    wire::set_common_options(impl->router);
    wire::set_common_options(impl->feed);
    impl->router.set(zmq::sockopt::sndhwm, outgoing_max);
    impl->feed.set(zmq::sockopt::sndhwm, outgoing_max);
    impl->router.set(zmq::sockopt::router_mandatory, true);
    impl->folder = folder;
    impl->endpoint = "ipc://" + folder + "/c";
    impl->feed_endpoint = "ipc://" + folder + "/f";
    impl->router.bind(impl->endpoint);
    impl->feed.bind(impl->feed_endpoint);
    return std::unique_ptr<Server>(new Server(std::move(impl)));
  } catch (const zmq::error_t& error) {
    return fail(Errc::unavailable, "cannot listen in " + folder + ": " + error.what());
  }
}

const std::string& Server::endpoint() const { return impl_->endpoint; }
const std::string& Server::feed_endpoint() const { return impl_->feed_endpoint; }
std::uint64_t Server::undelivered() const { return impl_->undelivered; }

Arrived Server::wait(Duration timeout, const std::vector<int>& descriptors) {
  std::vector<zmq::pollitem_t> items{{impl_->router.handle(), 0, ZMQ_POLLIN, 0},
                                     {impl_->feed.handle(), 0, ZMQ_POLLIN, 0}};
  for (const int fd : descriptors) items.push_back({nullptr, fd, ZMQ_POLLIN, 0});
  Arrived arrived;
  impl_->send_backlogs();
  if (!impl_->backlogs.empty())
    timeout = timeout.us < 0 ? backlog_interval : std::min(timeout, backlog_interval);
  arrived.interrupted = wire::poll(items, timeout).interrupted;
  arrived.follower = impl_->take_follower();
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::microseconds(batch_time_max.us);
  std::size_t bytes = 0;
  while (arrived.inputs.size() < batch_inputs_max && bytes < batch_bytes_max && Clock::now() < until) {
    std::optional<FromPeer> message = impl_->receive(bytes);
    if (!message) break;
    if (message->peer.value != 0) arrived.inputs.push_back(std::move(*message));
  }
  return arrived;
}

void Server::send(PeerId to, const Message& message) {
  std::string bytes = encode(Frame{protocol_version, message});
  const bool in_turn = !impl_->backlogs.contains(to);
  const Impl::Sent sent = in_turn ? impl_->try_send(to, bytes) : Impl::Sent::full;
  if (sent == Impl::Sent::full) impl_->keep(to, std::move(bytes));
  if (sent == Impl::Sent::gone) impl_->undelivered += 1;
}

void Server::publish(Seq first, const std::vector<std::string>& events) {
  if (!impl_->followed) return;
  static_cast<void>(
      impl_->feed.send(zmq::buffer(encode(FeedFrame{first, events})), zmq::send_flags::dontwait));
}

std::string socket_folder(const std::string& board_path) {
  const std::string name = "bidboard-" + to_hex(content_hash(board_path)).substr(0, 12);
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string in_runtime = runtime ? std::string(runtime) + "/" + name : "";
  if (!in_runtime.empty() && in_runtime.size() <= folder_bytes_max && ::access(runtime, W_OK) == 0)
    return in_runtime;
  return "/tmp/" + name + "-" + std::to_string(::getuid());
}

}  // namespace bidboard
