// A caller at a shell: sends requests to the controller one after the other, and repeats each until it is
// answered, as runtime/drivers/call.cpp does. For one thread.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "blackboard/messages.hpp"
#include "blackboard/time.hpp"

namespace bidboard::sim {

class SimClient {
 public:
  /// `id`: the random number that identifies the client.
  explicit SimClient(ClientId id) : id_(id) {}

  /// A request to send once everything before it is answered. `as`: as for Request.
  void add(RequestBody body, std::string as = {});
  /// The message to send now, if any: the first request, if it was not sent yet or long ago, or if the
  /// connection is new.
  std::optional<Request> on_time(Instant world);
  void on_connected() { said_at_ = never; }
  /// The request that this reply answers, which is then over; nothing for other replies: a duplicate, or the
  /// report of a lost commit, after which the request is sent again.
  std::optional<Request> on_reply(const Reply& reply, Instant world);
  Instant next_wakeup(Instant world) const;

  ClientId id() const { return id_; }
  std::size_t waiting() const { return queue_.size(); }

 private:
  ClientId id_;
  std::uint64_t last_number_ = 0;
  std::deque<Request> queue_;
  Instant said_at_ = never;  ///< never: not yet
};

}  // namespace bidboard::sim
