#include "runtime/sim/sim_client.hpp"

namespace bidboard::sim {
namespace {

/// As in runtime/drivers/call.cpp.
constexpr Duration repeat_after = seconds(2);

}  // namespace

void SimClient::add(RequestBody body, std::string as) {
  queue_.push_back({id_, ++last_number_, std::move(as), {}, std::move(body)});
}

std::optional<Request> SimClient::on_time(Instant world) {
  if (queue_.empty() || (said_at_ != never && world < said_at_ + repeat_after)) return {};
  said_at_ = world;
  return queue_.front();
}

std::optional<Request> SimClient::on_reply(const Reply& reply, Instant world) {
  if (queue_.empty() || reply.number != queue_.front().number) return {};
  if (reply.code == Errc::storage) {
    said_at_ = world;
    return {};
  }
  std::optional<Request> answered = std::move(queue_.front());
  queue_.pop_front();
  said_at_ = never;
  return answered;
}

Instant SimClient::next_wakeup(Instant world) const {
  if (queue_.empty()) return never;
  return said_at_ == never ? world : std::max(world, said_at_ + repeat_after);
}

}  // namespace bidboard::sim
