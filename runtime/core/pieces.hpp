// Messages are bounded in bytes (message_bytes_max), whatever they list: what leaves the core as one long
// message goes out as several short ones. Pure.
#pragma once

#include <cstddef>
#include <functional>

#include "blackboard/messages.hpp"

namespace bidboard {

/// About how many bytes these take in a message.
std::size_t bytes_of(const TaskOffer& offer);
std::size_t bytes_of(const NeedResult& need);
std::size_t bytes_of(const AwardItem& award);

/// Calls `send` with the message, or with shorter ones that say the same in the same order: Announcement,
/// Awards, PeerOffers and Revocations are split between their items, other messages are passed on as they
/// are.
void in_pieces(Message message, const std::function<void(Message)>& send);

}  // namespace bidboard
