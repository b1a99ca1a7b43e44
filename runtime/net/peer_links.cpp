#include "runtime/net/peer_links.hpp"

#include <dirent.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <map>

#include "blackboard/fmt.hpp"
#include "runtime/home/socket_folder.hpp"
#include "runtime/net/door.hpp"
#include "runtime/net/server.hpp"
#include "runtime/net/wire.hpp"

namespace bidboard {
namespace {

constexpr int reconnect_ms = 20;
constexpr int reconnect_max_ms = 1000;
/// Messages that wait for a peer that does not read.
constexpr int queue_max = 64;
constexpr std::size_t connections_max = 1'000;
/// Taken at once; the rest waits for the next call.
constexpr std::size_t drain_max = 1'024;

/// The process id in a socket's name; 0: it is not a peer's socket.
pid_t owner_of(std::string_view name) {
  if (name.size() < 2 || name[0] != 'p') return 0;
  pid_t pid = 0;
  const auto [end, error] = std::from_chars(name.data() + 1, name.data() + name.size(), pid);
  return error == std::errc() && end == name.data() + name.size() && pid > 0 ? pid : 0;
}

}  // namespace

void remove_dead_peer_sockets(const std::string& folder) {
  DIR* listing = ::opendir(folder.c_str());
  if (!listing) return;
  while (const dirent* entry = ::readdir(listing)) {
    const pid_t owner = owner_of(entry->d_name);
    if (owner != 0 && ::kill(owner, 0) != 0 && errno == ESRCH)
      ::unlink((fmt::format("{}/{}", folder, entry->d_name)).c_str());
  }
  ::closedir(listing);
}

struct PeerLinks::Impl {
  std::string folder;
  std::string socket;
  std::unique_ptr<Door> door;
  zmq::context_t context{1};
  struct Peer {
    std::string endpoint;
    zmq::socket_t dealer;
  };
  std::map<AgentId, Peer> peers;

  zmq::socket_t dealer_to(const std::string& endpoint) {
    zmq::socket_t dealer(context, zmq::socket_type::dealer);
    wire::set_common_options(dealer);
    dealer.set(zmq::sockopt::sndhwm, queue_max);
    dealer.set(zmq::sockopt::reconnect_ivl, reconnect_ms);
    dealer.set(zmq::sockopt::reconnect_ivl_max, reconnect_max_ms);
    dealer.set(zmq::sockopt::immediate, true);
    dealer.connect(endpoint);
    return dealer;
  }
};

PeerLinks::PeerLinks(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

PeerLinks::~PeerLinks() {
  const std::string folder = impl_->folder;
  const std::string socket = impl_->socket;
  impl_.reset();
  ::unlink(socket.c_str());
  ::rmdir(folder.c_str());
}

Result<std::unique_ptr<PeerLinks>> PeerLinks::open(
    const std::string& folder, const std::string& name,
    std::function<void(const std::string&, const std::string&)> on_refused) {
  if (const Result<void> made = make_private_folder(folder); !made) return fail(made.error());
  remove_dead_peer_sockets(folder);
  auto impl = std::make_unique<Impl>();
  impl->folder = folder;
  impl->socket = fmt::format("{}/{}", folder, name);
  DoorOptions wanted;
  wanted.endpoint = "ipc://" + impl->socket;
  wanted.may_enter = [](const ConnectionRequest& connection) {
    return admit(connection, {::getuid(), connections_max, {}});
  };
  wanted.on_refused = std::move(on_refused);
  Result<std::unique_ptr<Door>> door = Door::open(std::move(wanted));
  if (!door) return fail(door.error());
  impl->door = std::move(*door);
  return std::unique_ptr<PeerLinks>(new PeerLinks(std::move(impl)));
}

const std::string& PeerLinks::endpoint() const { return impl_->door->endpoint(); }

void PeerLinks::connect(const std::vector<PeerEntry>& peers) {
  std::map<AgentId, Impl::Peer> earlier = std::exchange(impl_->peers, {});
  for (const PeerEntry& entry : peers) {
    const auto known = earlier.find(entry.agent);
    try {
      if (known != earlier.end() && known->second.endpoint == entry.endpoint)
        impl_->peers.insert(earlier.extract(known));
      else
        impl_->peers.emplace(entry.agent, Impl::Peer{entry.endpoint, impl_->dealer_to(entry.endpoint)});
    } catch (const zmq::error_t&) {
      continue;  // no such address, or out of descriptors: treated as silent
    }
  }
}

std::vector<void*> PeerLinks::sockets() const { return impl_->door->sockets(); }

std::vector<PeerBids> PeerLinks::receive() {
  impl_->door->answer_knocks();
  std::vector<PeerBids> words;
  std::size_t bytes = 0;
  for (std::size_t n = 0; n < drain_max; ++n) {
    std::optional<FromPeer> from = impl_->door->receive(bytes);
    if (!from) break;
    if (from->peer.value == 0) continue;
    if (auto* bids = std::get_if<PeerBids>(&from->message)) words.push_back(std::move(*bids));
  }
  return words;
}

bool PeerLinks::send(const PeerBids& words) {
  const auto peer = impl_->peers.find(words.to);
  if (peer == impl_->peers.end()) return false;
  try {
    return peer->second.dealer
        .send(zmq::buffer(encode(Frame{protocol_version, words})), zmq::send_flags::dontwait)
        .has_value();
  } catch (const zmq::error_t&) {
    return false;
  }
}

}  // namespace bidboard
