#include "agents/peer_table.hpp"

namespace bidboard {
namespace {

/// The agents whose stamps are compared.
struct Freshness {
  const Stamps& sender;
  const Stamps& receiver;

  static std::uint64_t of(const Stamps& stamps, AgentId agent) {
    const auto at = stamps.find(agent);
    return at == stamps.end() ? 0 : at->second;
  }
  bool sender_newer(AgentId about) const { return of(sender, about) > of(receiver, about); }
  bool receiver_newer(AgentId about) const { return of(sender, about) < of(receiver, about); }
};

Resolution update_if(bool condition) { return condition ? Resolution::update : Resolution::leave; }
Resolution reset_if(bool condition) { return condition ? Resolution::reset : Resolution::leave; }

}  // namespace

bool same(const PeerClaim& one_claim, const PeerClaim& other) {
  return one_claim.winner == other.winner && one_claim.finish == other.finish;
}

bool beats(const PeerClaim& one_claim, const PeerClaim& other) {
  if (!one_claim.winner || !other.winner) return static_cast<bool>(one_claim.winner);
  if (one_claim.finish != other.finish) return one_claim.finish < other.finish;
  return one_claim.winner < other.winner;
}

Resolution resolve(AgentId sender, const PeerClaim& theirs, const Stamps& sender_heard, AgentId receiver,
                   const PeerClaim& ours, const Stamps& receiver_heard) {
  const Freshness fresh{sender_heard, receiver_heard};
  const AgentId m = theirs.winner;
  const AgentId n = ours.winner;
  if (m == sender) {
    if (n == receiver) return update_if(beats(theirs, ours));
    if (n == sender || !n) return Resolution::update;
    return update_if(fresh.sender_newer(n) || beats(theirs, ours));
  }
  if (m == receiver) {
    if (n == sender) return Resolution::reset;
    if (n == receiver || !n) return Resolution::leave;
    return reset_if(fresh.sender_newer(n));
  }
  if (!m) {
    if (n == receiver || !n) return Resolution::leave;
    return update_if(n == sender || fresh.sender_newer(n));
  }
  // The sender names a third agent.
  if (n == receiver) return update_if(fresh.sender_newer(m) && beats(theirs, ours));
  if (n == sender) return fresh.sender_newer(m) ? Resolution::update : Resolution::reset;
  if (!n || n == m) return update_if(fresh.sender_newer(m));
  // And we name a fourth.
  if (fresh.sender_newer(m) && (fresh.sender_newer(n) || beats(theirs, ours))) return Resolution::update;
  return reset_if(fresh.sender_newer(n) && fresh.receiver_newer(m));
}

}  // namespace bidboard
