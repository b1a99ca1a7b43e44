// Messages are bounded in bytes (message_bytes_max), whatever they list: the core sends a long list as
// several short messages. Pure.
#pragma once

#include <cstddef>
#include <functional>

#include "blackboard/messages.hpp"

namespace bidboard {

/// About how many bytes these take in a message.
std::size_t bytes_of(const TaskOffer& offer);
std::size_t bytes_of(const NeedResult& need);
std::size_t bytes_of(const AwardItem& award);

/// Calls `send` with the message, or with shorter ones that hold the same items in the same order:
/// Announcement, Awards, PeerOffers and Revocations are split between items; other messages are passed on
/// unchanged.
void in_pieces(Message message, const std::function<void(Message)>& send);

}  // namespace bidboard
