#include "runtime/net/monitor.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <utility>

namespace bidboard {
namespace {

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

}  // namespace

Monitor::Monitor(zmq::context_t& context, zmq::socket_t& whom, const std::string& address)
    : watched(whom), events(context, zmq::socket_type::pair) {
  // Unbounded: events that are not read here would block everything that the socket does.
  events.set(zmq::sockopt::rcvhwm, 0);
  events.set(zmq::sockopt::linger, 0);
  constexpr int wanted = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_DISCONNECTED | wire::broken_handshake;
  if (zmq_socket_monitor(watched.handle(), address.c_str(), wanted) != 0) throw zmq::error_t();
  events.connect(address);
}

Monitor::~Monitor() { zmq_socket_monitor(watched.handle(), nullptr, 0); }

void Monitor::take(bool tcp, const OnRefused& on_refused) {
  while (const std::optional<wire::SocketEvent> event = wire::next_event(events)) {
    const auto [what, value] = *event;
    if (what == ZMQ_EVENT_ACCEPTED) {
      open[value] = tcp ? address_of(value) : "this machine";
    } else if ((what & wire::broken_handshake) != 0) {
      // Its end follows at once. A local peer that closes this early was only stopped.
      broke_off = tcp || what == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL;
    } else if (what == ZMQ_EVENT_DISCONNECTED) {
      const auto at = open.find(value);
      if (at == open.end()) continue;
      if (std::exchange(broke_off, false))
        on_refused(at->second, tcp ? "it did not show a key made for this board"
                                   : "it does not speak Bidboard's protocol");
      open.erase(at);
      closed.push_back(value);
    }
  }
}

void Monitor::cut(int fd) const {
  if (open.contains(fd)) ::shutdown(fd, SHUT_RDWR);
}

}  // namespace bidboard
