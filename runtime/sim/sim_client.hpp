// Somebody at a shell: says requests to the controller one after the other, each again until it is answered,
// as runtime/drivers/call.cpp does. For one thread.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "blackboard/messages.hpp"
#include "blackboard/time.hpp"

namespace bidboard::sim {

class SimClient {
 public:
  /// `id`: the random number it calls itself.
  explicit SimClient(ClientId id) : id_(id) {}

  /// To be said when everything before it is answered. `as`: as for Request.
  void add(RequestBody body, std::string as = {});
  /// What is to be said now, if anything: the first request, when it was not said yet or long ago, or when
  /// the connection is new.
  std::optional<Request> on_time(Instant world);
  void on_connected() { said_at_ = never; }
  /// The request that this answers, which is then over; nothing for what answers none: a second copy, or a
  /// lost commit, after which it is said again.
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
