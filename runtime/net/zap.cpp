#include "runtime/net/zap.hpp"

#include <cstdio>
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "runtime/home/random_bytes.hpp"

namespace bidboard::zap {
namespace {

/// The property of a handshake that carries a routing id.
constexpr const char* routing_id_property = "Identity";
/// How an admission is attached to each message of its connection, as ZAP's user id.
constexpr const char* user_property = "User-Id";
/// The same, of where it came from.
constexpr const char* from_property = "From";
constexpr int io_thread_patience_ms = 10'000;

std::string metadata(std::string_view name, std::string_view value) {
  std::string out(1, static_cast<char>(name.size()));
  out += name;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(value.size() >> shift);
  return out.append(value);
}

std::string_view property(zmq::message_t& message, const char* name) {
  const char* value = zmq_msg_gets(message.handle(), name);
  return value ? value : std::string_view();
}

}  // namespace

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

Origin origin_of(zmq::message_t& message) {
  const std::string_view user = property(message, user_property);
  if (user.empty()) return {"?", false};  // not a peer that we admitted
  return {std::string(user.substr(1)), user[0] == '+'};
}

std::string name_of(zmq::message_t& message) {
  const std::string_view from = property(message, from_property);
  const std::string key = origin_of(message).key;
  return key.empty() ? std::string(from) : fmt::format("{} ({})", key, from);
}

int descriptor_of(zmq::message_t& message) { return zmq_msg_get(message.handle(), ZMQ_SRCFD); }

bool has_chosen_routing_id(zmq::message_t& message) {
  return !property(message, routing_id_property).empty();
}

ConnectionRequest connection_of(const std::vector<std::string>& request) {
  ConnectionRequest connection;
  connection.from = request[3];
  if (request[5] == "CURVE") {
    connection.remote = true;
    if (request.size() > 6) connection.key = request[6];
    return connection;
  }
  const std::size_t colon = connection.from.find(':');
  unsigned uid = 0, gid = 0;
  long pid = 0;
  if (colon != std::string::npos &&
      std::sscanf(connection.from.c_str() + colon, ":%u:%u:%ld", &uid, &gid, &pid) == 3) {
    connection.uid = uid;
    connection.from = fmt::format("process {} of user {}", pid, uid);
  }
  return connection;
}

std::vector<std::string> reply_to(const std::vector<std::string>& request,
                                  const ConnectionRequest& connection, const Admission& admission,
                                  const std::string& name) {
  using Verdict = Admission::Verdict;
  const char* status = admission.verdict == Verdict::welcome ? "200"
                       : admission.verdict == Verdict::full  ? "500"
                                                             : "400";
  std::string facts = metadata(from_property, connection.from);
  if (!name.empty()) facts += metadata(routing_id_property, name);
  return {"1.0", request[1], status, admission.why, (admission.operates ? "+" : "-") + admission.key, facts};
}

Naming::Naming(zmq::context_t& context)
    : nowhere_(context, zmq::socket_type::dealer), events_(context, zmq::socket_type::pair) {
  for (zmq::socket_t* socket : {&nowhere_, &events_}) socket->set(zmq::sockopt::linger, 0);
  nowhere_.set(zmq::sockopt::reconnect_ivl, 3'600'000);
  events_.set(zmq::sockopt::rcvtimeo, io_thread_patience_ms);
  if (zmq_socket_monitor(nowhere_.handle(), "inproc://nowhere", ZMQ_EVENT_CONNECT_RETRIED) != 0)
    throw zmq::error_t();
  events_.connect("inproc://nowhere");
}

Naming::~Naming() { zmq_socket_monitor(nowhere_.handle(), nullptr, 0); }

std::string Naming::next() {
  await_io_thread();
  last_.value = last_.value % UINT32_MAX + 1;
  return routing_id_of(last_, made_by_door);
}

void Naming::await_io_thread() {
  constexpr const char* no_such_place = "ipc:///dev/null/nowhere";
  nowhere_.connect(no_such_place);
  zmq::message_t part;
  do static_cast<void>(events_.recv(part));
  while (events_.get(zmq::sockopt::rcvmore));
  nowhere_.disconnect(no_such_place);
}

void make_ids_unpredictable() {
  if (const Result<std::uint64_t> seed = random_number()) std::srand(static_cast<unsigned>(*seed));
}

}  // namespace bidboard::zap
