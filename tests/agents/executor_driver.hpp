// Drives an executor as an agent's loop does: polls its descriptors, wakes it when it asks, keeps the events.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "agents/executor.hpp"
#include "agents/executors/surroundings.hpp"
#include "tests/agents/guarded.hpp"

namespace bidboard {

inline Now real_now() {
  using std::chrono::duration_cast;
  using Us = std::chrono::microseconds;
  return {{duration_cast<Us>(std::chrono::steady_clock::now().time_since_epoch()).count()},
          {duration_cast<Us>(std::chrono::system_clock::now().time_since_epoch()).count()}};
}

class Driver {
 public:
  explicit Driver(Executor& executor) : executor_(executor) {}

  /// Runs until the condition holds.
  template <class Condition>
  void until(Condition&& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) FAIL("nothing came of it within a minute");
      std::vector<PollItem> items;
      executor_.add_poll(items);
      std::vector<pollfd> polled;
      for (const PollItem& item : items)
        polled.push_back(
            {item.fd, static_cast<short>((item.read ? POLLIN : 0) | (item.write ? POLLOUT : 0)), 0});
      const Instant wakeup = executor_.next_wakeup();
      // A second at most: some conditions look at files.
      const std::int64_t wait =
          wakeup == never ? 1'000
                          : std::clamp<std::int64_t>((wakeup - real_now().mono).us / 1'000 + 1, 0, 1'000);
      poll(polled.data(), static_cast<nfds_t>(polled.size()),
           static_cast<int>(std::min<std::int64_t>(wait, patience_ms)));
      for (ExecutionEvent& event : executor_.pump(real_now())) events.push_back(std::move(event));
      ++rounds;
    }
  }

  /// Waits for the first event of the kind that matches.
  template <class Event, class Fits>
  Event await(Fits&& fits) {
    const Event* found = nullptr;
    until([&] {
      for (const ExecutionEvent& event : events)
        if (const Event* candidate = std::get_if<Event>(&event); candidate != nullptr && fits(*candidate))
          found = candidate;
      return found != nullptr;
    });
    return *found;
  }
  template <class Event>
  Event await(TaskId task) {
    return await<Event>([task](const Event& event) { return event.task == task; });
  }
  ExecutionEnded await_end(TaskId task = {1}) { return await<ExecutionEnded>(task); }
  BidAnswered await_answer(std::uint64_t request) {
    return await<BidAnswered>([request](const BidAnswered& event) { return event.request == request; });
  }
  BidAnswer await_bid(std::uint64_t request) { return await_answer(request).answer; }

  std::vector<ExecutionEvent> events;
  int rounds = 0;

 private:
  static constexpr std::int64_t patience_ms = 20;
  Executor& executor_;
};

inline Assignment assignment(const std::string& title = "A title", const std::string& body = "The body.") {
  Assignment given;
  given.task = {1};
  given.epoch = {1};
  given.token = "worker:t1:1:secret";
  given.spec.title = title;
  given.spec.body = body;
  given.idempotency_key = "board-t1";
  return given;
}

inline BidQuestion question(std::uint64_t request, const std::string& body = "The body.") {
  BidQuestion asked;
  asked.request = request;
  asked.task = {request};
  asked.spec.title = "A title";
  asked.spec.body = body;
  return asked;
}

}  // namespace bidboard
