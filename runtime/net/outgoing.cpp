#include "runtime/net/outgoing.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "runtime/net/zap.hpp"

namespace bidboard {
namespace {

struct Counted {
  std::string bytes;
  ByteCount own;
  ByteCount all;
};

void uncount(void*, void* hint) {
  const std::unique_ptr<Counted> counted(static_cast<Counted*>(hint));
  *counted->own -= counted->bytes.size();
  *counted->all -= counted->bytes.size();
}

std::string megabytes(std::size_t bytes) { return fmt::format("{} MB", (bytes + (1 << 19)) >> 20); }

}  // namespace

zmq::message_t counted_message(std::string bytes, const ByteCount& own, const ByteCount& all) {
  auto counted = std::make_unique<Counted>(Counted{std::move(bytes), own, all});
  *own += counted->bytes.size();
  *all += counted->bytes.size();
  Counted* const hint = counted.release();
  return zmq::message_t(hint->bytes.data(), hint->bytes.size(), uncount, hint);
}

Outgoing::Outgoing(zmq::socket_t& router, char id_maker, OutgoingLimits limits, Cut cut)
    : router_(router), id_maker_(id_maker), limits_(limits), cut_(std::move(cut)) {}

/// `bytes` is taken if it was sent.
Outgoing::Sent Outgoing::try_send(PeerId to, Peer& peer, std::string& bytes) {
  const std::size_t queued = *peer.queued;
  if (queued > 0 && queued + bytes.size() > limits_.queued_max) return Sent::full;
  try {
    if (!router_.send(zmq::buffer(zap::routing_id_of(to, id_maker_)),
                      zmq::send_flags::sndmore | zmq::send_flags::dontwait))
      return Sent::full;
    // After a routing id that was accepted, the rest is never refused.
    zmq::message_t message = counted_message(std::move(bytes), peer.queued, all_queued_);
    static_cast<void>(router_.send(message, zmq::send_flags::dontwait));
    return Sent::yes;
  } catch (const zmq::error_t&) {
    return Sent::gone;  // "Host unreachable": the lease or the client's timeout will show it
  }
}

void Outgoing::keep(PeerId to, Peer& peer, std::string bytes) {
  if (peer.backlog_bytes + bytes.size() > limits_.backlog_max) {
    undelivered_ += 1;
    return give_up(to, fmt::format("it does not read, and {} wait for it",
                                   megabytes(*peer.queued + peer.backlog_bytes + bytes.size())));
  }
  if (peer.backlog.empty()) {
    peer.moved = std::chrono::steady_clock::now();
    peer.queued_before = *peer.queued;
    waiting_ += 1;
  }
  peer.backlog_bytes += bytes.size();
  all_backlogs_ += bytes.size();
  peer.backlog.push_back(std::move(bytes));
}

void Outgoing::drop_backlog(Peer& peer) {
  if (peer.backlog.empty()) return;
  undelivered_ += peer.backlog.size();
  all_backlogs_ -= std::exchange(peer.backlog_bytes, 0);
  peer.backlog.clear();
  waiting_ -= 1;
}

void Outgoing::forget(PeerId peer) {
  const auto at = peers_.find(peer);
  if (at == peers_.end()) return;
  drop_backlog(at->second);
  peers_.erase(at);
}

void Outgoing::give_up(PeerId peer, const std::string& why) {
  forget(peer);
  cut_(peer, why);
}

/// The one for which most waits gives way to the others.
void Outgoing::bound_total() {
  if (*all_queued_ + all_backlogs_ <= limits_.total_max) return;
  const auto load = [](const auto& entry) { return *entry.second.queued + entry.second.backlog_bytes; };
  const auto most = std::ranges::max_element(peers_, {}, load);
  if (most == peers_.end() || load(*most) == 0) return;
  give_up(most->first, fmt::format("{} wait for it, the most of {} for all", megabytes(load(*most)),
                                   megabytes(*all_queued_ + all_backlogs_)));
}

void Outgoing::send(PeerId to, std::string bytes) {
  Peer& peer = peers_[to];
  const Sent sent = peer.backlog.empty() ? try_send(to, peer, bytes) : Sent::full;
  if (sent == Sent::full) keep(to, peer, std::move(bytes));
  if (sent == Sent::gone) {
    undelivered_ += 1;
    forget(to);
  }
  bound_total();
}

/// A peer that takes nothing for too long loses its connection, not only its backlog: it connects again once
/// it reads, and asks again for what it missed.
bool Outgoing::send_backlogs() {
  if (waiting_ == 0) return false;
  const auto now = std::chrono::steady_clock::now();
  std::vector<PeerId> gone, too_slow;
  for (auto& [to, peer] : peers_) {
    if (peer.backlog.empty()) continue;
    if (*peer.queued < peer.queued_before) peer.moved = now;
    Sent sent = Sent::yes;
    while (!peer.backlog.empty()) {
      const std::size_t size = peer.backlog.front().size();
      sent = try_send(to, peer, peer.backlog.front());
      if (sent != Sent::yes) break;
      peer.backlog.pop_front();
      peer.backlog_bytes -= size;
      all_backlogs_ -= size;
      peer.moved = now;
      if (peer.backlog.empty()) waiting_ -= 1;
    }
    if (sent == Sent::gone) gone.push_back(to);
    if (sent == Sent::full && now - peer.moved > limits_.patience) too_slow.push_back(to);
    peer.queued_before = *peer.queued;
  }
  for (const PeerId peer : gone) forget(peer);
  for (const PeerId peer : too_slow)
    give_up(peer, fmt::format("it does not read: for {} it has taken nothing of what waits for it",
                              milliseconds(limits_.patience.count())));
  return waiting_ > 0;
}

}  // namespace bidboard
