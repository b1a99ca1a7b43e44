// What both ends of the connection share; included only by the .cpp files of this folder, since it names
// ZeroMQ types.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>
#include <zmq.hpp>

#include "blackboard/fmt.hpp"
#include "blackboard/format/bounds.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/messages.hpp"

namespace bidboard::wire {

/// Messages that may wait for a peer that does not read; the rest is dropped and repaired from the board.
constexpr int queue_max = 50'000;

inline std::string_view view(const zmq::message_t& message) { return {message.data<char>(), message.size()}; }

inline Message read_frame(std::string_view bytes) {
  Result<Frame> frame = decode<Frame>(bytes);
  if (!frame) return Malformed{frame.error().text};
  if (frame->version != protocol_version)
    return Malformed{fmt::format("protocol version {} is not supported here", frame->version)};
  return std::move(frame->message);
}

inline void set_common_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::maxmsgsize, static_cast<std::int64_t>(frame_bytes_max));
  socket.set(zmq::sockopt::sndhwm, queue_max);
  socket.set(zmq::sockopt::rcvhwm, queue_max);
}

/// Errors: unsupported.
inline Result<void> check_curve() {
  if (zmq_has("curve") == 1) return {};
  return fail(Errc::unsupported, "this ZeroMQ was built without CURVE: it cannot secure TCP");
}

/// A peer that is gone without notice is detected by ZeroMQ's own heartbeats, which cost a few bytes.
inline void set_tcp_options(zmq::socket_t& socket) {
  socket.set(zmq::sockopt::heartbeat_ivl, 10'000);
  socket.set(zmq::sockopt::heartbeat_timeout, 30'000);
}

/// What a socket's monitor reports; which events, and what their value means: zmq_socket_monitor(3).
struct SocketEvent {
  int what = 0;  ///< 0: none that can be read
  int value = 0;
};
constexpr int broken_handshake = ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;

/// Nothing: no event is there.
inline std::optional<SocketEvent> next_event(zmq::socket_t& monitor) {
  zmq::message_t event, address;
  if (!monitor.recv(event, zmq::recv_flags::dontwait)) return {};
  static_cast<void>(monitor.recv(address, zmq::recv_flags::dontwait));
  std::uint16_t what = 0;
  std::int32_t value = 0;
  if (event.size() < sizeof what + sizeof value) return SocketEvent{};
  std::memcpy(&what, event.data<char>(), sizeof what);
  std::memcpy(&value, event.data<char>() + sizeof what, sizeof value);
  return SocketEvent{what, value};
}

/// zmq::poll, distinguishing a signal from a time-out. Negative timeouts wait for ever.
struct Polled {
  bool ready = false;
  bool interrupted = false;
};
inline Polled poll(std::vector<zmq::pollitem_t>& items, Duration timeout) {
  const std::int64_t ms = timeout.us < 0 ? -1 : std::min<std::int64_t>((timeout.us + 999) / 1000, 3'600'000);
  try {
    return {zmq::poll(items, std::chrono::milliseconds(ms)) > 0, false};
  } catch (const zmq::error_t& error) {
    if (error.num() == EINTR) return {false, true};
    throw;
  }
}

}  // namespace bidboard::wire
