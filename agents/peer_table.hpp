// How an agent's belief about a task changes when a peer reports its own: the conflict resolution of the
// consensus-based bundle algorithm (CBBA), table I of Choi, Brunet and How, "Consensus-Based Decentralized
// Auctions for Robust Task Allocation", IEEE Transactions on Robotics 25(4), 2009. Pure functions.
//
// The paper's y (winning bid), z (winner) and s (time stamps) are PeerClaim::finish, PeerClaim::winner and
// Stamps. A bid is the time by which the bidder promises to be done: the earlier one wins; among equal ones,
// the smaller agent id. Stamps are not clock times: they are the numbers that each agent gives its own
// messages, and only numbers of the same agent are compared.
#pragma once

#include <cstdint>
#include <map>

#include "blackboard/ids.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// The agent that is believed to win a task.
struct PeerClaim {
  AgentId winner;     ///< 0: none
  Micros finish = 0;  ///< its bid
  Micros until = 0;   ///< when the claim lapses; does not affect who wins
  bool operator==(const PeerClaim&) const = default;
};

/// The same winner by the same bid.
bool same(const PeerClaim& one_claim, const PeerClaim& other);

/// The last message number known from each agent, directly or through others.
using Stamps = std::map<AgentId, std::uint64_t>;

/// Whether the first claim wins against the second. A claim without a winner loses to every other.
bool beats(const PeerClaim& one_claim, const PeerClaim& other);

enum class Resolution : std::uint8_t {
  leave,   ///< keep what we believe
  update,  ///< believe what the sender believes
  reset,   ///< believe that no agent has it
};

/// How `receiver`, believing `ours`, reacts to `sender` believing `theirs`. `sender_heard` and
/// `receiver_heard`: their stamps, the receiver's before this message.
Resolution resolve(AgentId sender, const PeerClaim& theirs, const Stamps& sender_heard, AgentId receiver,
                   const PeerClaim& ours, const Stamps& receiver_heard);

}  // namespace bidboard
