// What waits to be sent by a ROUTER socket, for each of its peers, bounded in bytes. ZeroMQ counts messages
// and not their bytes, so only a part is handed to it; the rest waits here. Included only by .cpp files of
// this folder, since it names ZeroMQ types. For one thread, but for the counts, which ZeroMQ's threads lower.
#pragma once

#include <atomic>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "runtime/core/io.hpp"
#include "runtime/net/door.hpp"
#include "runtime/net/wire.hpp"

namespace bidboard {

/// How many bytes of messages ZeroMQ has not sent yet.
using ByteCount = std::shared_ptr<std::atomic<std::size_t>>;
/// A message that is counted until ZeroMQ has sent or dropped it.
zmq::message_t counted_message(std::string bytes, const ByteCount& own, const ByteCount& all);

class Outgoing {
 public:
  /// `cut`: ends the connection of a peer, which is then unknown; told why.
  using Cut = std::function<void(PeerId, const std::string&)>;
  Outgoing(zmq::socket_t& router, char id_maker, OutgoingLimits limits, Cut cut);

  /// Never blocks.
  void send(PeerId to, std::string bytes);
  /// Sends what waits here, as far as the peers take it. True: a part still waits.
  bool send_backlogs();
  /// The peer's connection is gone.
  void forget(PeerId peer);
  /// Messages dropped.
  std::uint64_t undelivered() const { return undelivered_; }

 private:
  struct Peer {
    ByteCount queued = std::make_shared<std::atomic<std::size_t>>(0);
    std::deque<std::string> backlog;
    std::size_t backlog_bytes = 0;
    std::chrono::steady_clock::time_point moved;  ///< when the peer last took something
    std::size_t queued_before = 0;                ///< `queued` at the last look
  };
  enum class Sent { yes, full, gone };
  Sent try_send(PeerId to, Peer& peer, std::string& bytes);
  void keep(PeerId to, Peer& peer, std::string bytes);
  void drop_backlog(Peer& peer);
  void give_up(PeerId peer, const std::string& why);
  void bound_total();

  zmq::socket_t& router_;
  char id_maker_;
  OutgoingLimits limits_;
  Cut cut_;
  std::map<PeerId, Peer> peers_;
  ByteCount all_queued_ = std::make_shared<std::atomic<std::size_t>>(0);
  std::size_t all_backlogs_ = 0;
  std::size_t waiting_ = 0;  ///< peers with a backlog
  std::uint64_t undelivered_ = 0;
};

}  // namespace bidboard
