// Tasks that are bid for and won together. The first one is awarded like any task. The others are reserved
// for the winner and awarded one after the other, each as soon as the previous one is done, so that a bundle
// takes one slot. The reservation ends, and all agents may bid again, when a task of the bundle ends
// otherwise, takes more than twice its share of the promised time, or the controller restarts. Belongs to the
// strategy `auction`. Pure, for one thread.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "auction/bundles.hpp"
#include "auction/clearing.hpp"
#include "runtime/coordination/bid_book.hpp"

namespace bidboard {

/// A bundle bid that counts in a clearing.
struct BundleOffer {
  AgentId agent;
  BundleBid said;
  BidVector believed;
};

/// A bundle that was won and is not over. The current task is awarded, the others are reserved for the
/// winner.
struct WonBundle {
  BundleBid said;                ///< the whole bundle, as bid
  Micros corrected_seconds = 0;  ///< per task, after calibration
  Micros score = 0;              ///< per task
  AgentId agent;
  TaskId under_way;
  Epoch epoch;               ///< of that task's award
  std::vector<TaskId> left;  ///< in execution order
};

class Bundles {
 public:
  /// REQUIRES: the agent was asked about bid.task.
  void keep_bid(const BidBook& book, AgentId agent, const Bid& bid);
  /// The task's auction is over, or all agents are asked again.
  void drop_bids(TaskId task);
  /// The agent's bundle bids no longer count.
  void forget(AgentId agent) { bids_.erase(agent); }
  void clear() { bids_.clear(), won_.clear(); }
  /// Whether an agent bid for it together with other tasks.
  bool has_bid(TaskId task) const;
  /// The tasks in `awaited`, for which bids are still missing, and all tasks that an agent bids for together
  /// with one of them. If those were awarded earlier, the bundle could never count. The wait ends with the
  /// deadline for the missing bids.
  std::set<TaskId> held_with(std::set<TaskId> awaited) const;
  /// Every bundle bid whose tasks are all in the problem and whose agent may have each of them: live ones,
  /// and those that the controller computes for agents with a set-up cost whose single bids (`proxies`) it
  /// computes.
  std::vector<BundleOffer> offers(Asking& asking, const Problem& problem,
                                  const std::map<AgentId, std::vector<SingleBid>>& proxies) const;

  /// The first task of a bundle was awarded in that auction: the others are reserved and follow.
  void begin(Core& core, AuctionId auction, WonBundle bundle);
  /// Awards the next task of each bundle whose slot is free, and gives up bundles that failed. Returns when
  /// to check again if nothing happens before.
  Instant go_on(Core& core);
  bool keeps(AuctionId auction) const { return won_.contains(auction); }
  /// What the bundle's remaining tasks add to the time at which the task's slot becomes free.
  Micros seconds_behind(TaskId under_way) const;

 private:
  enum class Standing { runs, next, over };
  Standing standing_of(const Core& core, const WonBundle& bundle, Instant& review) const;
  void give_up(Core& core, AuctionId auction);

  std::map<AgentId, std::map<std::vector<TaskId>, BidVector>> bids_;  ///< live ones, by their tasks
  std::map<AuctionId, WonBundle> won_;                                ///< some of their tasks have not begun
};

}  // namespace bidboard
