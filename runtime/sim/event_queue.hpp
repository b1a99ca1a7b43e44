// What happens next: events by virtual time; events of the same time in the order in which they were added.
// For one thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "blackboard/checks/check.hpp"
#include "blackboard/time.hpp"

namespace bidboard::sim {

template <class Event>
class EventQueue {
 public:
  void push(Instant at, Event event) {
    std::uint32_t slot = static_cast<std::uint32_t>(slots_.size());
    if (free_.empty()) {
      slots_.push_back(std::move(event));
    } else {
      slot = free_.back();
      free_.pop_back();
      slots_[slot] = std::move(event);
    }
    heap_.push_back({at, ++order_, slot});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  bool empty() const { return heap_.empty(); }
  std::size_t size() const { return heap_.size(); }
  /// When the next event happens; never if there is none.
  Instant next() const { return heap_.empty() ? never : heap_.front().at; }
  /// REQUIRES: not empty.
  Event pop() {
    BB_CHECK(!heap_.empty(), "nothing is left to happen");
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const std::uint32_t slot = heap_.back().slot;
    heap_.pop_back();
    free_.push_back(slot);
    return std::move(slots_[slot]);
  }

 private:
  /// Events stay where they are; the heap moves small entries.
  struct Entry {
    Instant at;
    std::uint64_t order = 0;
    std::uint32_t slot = 0;
  };
  static bool later(const Entry& a, const Entry& b) {
    return std::pair(a.at, a.order) > std::pair(b.at, b.order);
  }

  std::vector<Entry> heap_;
  std::vector<Event> slots_;
  std::vector<std::uint32_t> free_;
  std::uint64_t order_ = 0;
};

}  // namespace bidboard::sim
