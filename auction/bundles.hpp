// Bids for several tasks together. An agent that saves set-up cost by doing related tasks one after the other
// (a warm cache, a repository read once, a machine tooled up) offers them for less than the sum of single
// bids. A bundle is won as a whole or not at all; the mechanism `combinatorial` clears them (clearing.hpp).
#pragma once

#include <vector>

#include "auction/bid.hpp"

namespace bidboard {

struct BundleBid {
  std::vector<TaskId> tasks;  ///< by id; two or more
  BidVector bid;              ///< seconds and price of all of them together
  bool operator==(const BundleBid&) const = default;
};

/// The most tasks in a bundle, and the most related tasks shown to an agent that is asked for a bid.
constexpr std::size_t bundle_tasks_max = 16;
/// The most bundles of one agent at once; further ones do not count.
constexpr std::size_t bundle_bids_max = 256;

/// Whether one set-up may serve both: tasks of the same kind and project.
bool are_related(const TaskSpec& one_task, const TaskSpec& other);

/// A task and what an agent would bid for it alone.
struct SingleBid {
  TaskId task;
  const TaskSpec* spec = nullptr;
  BidVector bid;
};
/// The bundles of an agent with `set_up`, in addition to its single bids: neighbours among related tasks,
/// two, three and four at a time. Each task after the first saves set_up seconds (but never takes less than
/// zero), and the price of those seconds. Only the first bundle_tasks_max related tasks are considered.
std::vector<BundleBid> set_up_bundles(const std::vector<SingleBid>& singles, const AgentProfile& agent);
/// An equal share of a bundle's bid, for each of its tasks.
BidVector share_of(const BundleBid& bundle);

}  // namespace bidboard
