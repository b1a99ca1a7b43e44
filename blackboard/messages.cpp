#include "blackboard/messages.hpp"

#include <array>

namespace bidboard {

std::string_view kind(const Message& message) {
  constexpr std::array<std::string_view, std::variant_size_v<Message>> kinds{"hello",
                                                                             "welcome",
                                                                             "request",
                                                                             "reply",
                                                                             "register",
                                                                             "registered",
                                                                             "registration_refused",
                                                                             "heartbeat",
                                                                             "heartbeat_ack",
                                                                             "who_are_you",
                                                                             "announcement",
                                                                             "bids",
                                                                             "take",
                                                                             "awards",
                                                                             "reports",
                                                                             "reports_kept",
                                                                             "revocations",
                                                                             "leave",
                                                                             "malformed",
                                                                             "delegation",
                                                                             "choices",
                                                                             "peers",
                                                                             "listening",
                                                                             "peer_offers",
                                                                             "peer_bids",
                                                                             "fetch_needs",
                                                                             "needs_page"};
  return kinds[message.index()];
}

}  // namespace bidboard
