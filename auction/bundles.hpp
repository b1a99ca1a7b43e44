// Bids for several tasks together. An agent that saves set-up cost by doing related tasks one after the other
// (a warm cache, a repository read once, a machine tooled up) offers them for less than one by one. All of
// them or none; the mechanism `combinatorial` clears them (clearing.hpp).
#pragma once

#include <vector>

#include "auction/bid.hpp"

namespace bidboard {

struct BundleBid {
  std::vector<TaskId> tasks;  ///< by id; two or more
  BidVector bid;              ///< seconds and price of all of them together
  bool operator==(const BundleBid&) const = default;
};

/// No bundle has more tasks, and no more related tasks are shown to who is asked for a bid.
constexpr std::size_t bundle_tasks_max = 16;
/// Of one agent at once; further ones do not count.
constexpr std::size_t bundle_bids_max = 256;

/// What one set-up may serve: tasks of the same kind and project.
bool are_related(const TaskSpec& one_task, const TaskSpec& other);

/// A task and what an agent would bid for it alone.
struct SingleBid {
  TaskId task;
  const TaskSpec* spec = nullptr;
  BidVector bid;
};
/// What an agent with `set_up` offers beside its single bids: neighbours among related tasks, two, three and
/// four at a time, each further one for set_up seconds less than alone (never for less than no time), and the
/// price of those seconds less. Of related tasks it looks at the first bundle_tasks_max.
std::vector<BundleBid> set_up_bundles(const std::vector<SingleBid>& singles, const AgentProfile& agent);
/// An even share of a bundle's bid, for each of its tasks.
BidVector share_of(const BundleBid& bundle);

}  // namespace bidboard
