// Tasks that are bid for and won together. The first one is awarded like any task. The others are reserved
// for the winner and awarded one after the other, each as soon as the one before it is done, so that a bundle
// takes one slot. The reservation ends, and everybody may bid again, when a task of the bundle ends
// otherwise, takes more than twice its share of the time that was promised, or the controller starts anew.
// Belongs to the strategy `auction`. Pure, for one thread.
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

/// A bundle that was won and is not over. The task under way is awarded, the others are reserved for the
/// winner.
struct WonBundle {
  BundleBid said;                ///< as bid, all of it
  Micros corrected_seconds = 0;  ///< of each task, after calibration
  Micros score = 0;              ///< of each task
  AgentId agent;
  TaskId under_way;
  Epoch epoch;               ///< of the award of that one
  std::vector<TaskId> left;  ///< in the order in which they come
};

class Bundles {
 public:
  /// REQUIRES: the agent was asked about bid.task.
  void keep_bid(const BidBook& book, AgentId agent, const Bid& bid);
  /// The task's auction is over, or all are asked anew.
  void drop_bids(TaskId task);
  /// What it said does not count any more.
  void forget(AgentId agent) { bids_.erase(agent); }
  void clear() { bids_.clear(), won_.clear(); }
  /// Whether somebody offered it together with others.
  bool has_bid(TaskId task) const;
  /// Tasks that somebody offers together with one of `awaited`, for which bids are still awaited, and these
  /// themselves: were they awarded before, the bundle would never count. The wait ends with the deadline for
  /// those bids.
  std::set<TaskId> held_with(std::set<TaskId> awaited) const;
  /// Every bundle bid whose tasks are all in the problem and whose agent may have each of them: live ones,
  /// and those of agents with a set-up whose single bids (`proxies`) the controller works out.
  std::vector<BundleOffer> offers(Asking& asking, const Problem& problem,
                                  const std::map<AgentId, std::vector<SingleBid>>& proxies) const;

  /// The first task of a bundle was awarded in that auction: the others are reserved and follow.
  void begin(Core& core, AuctionId auction, WonBundle bundle);
  /// Awards what comes next in each bundle whose slot is free, and gives up on those that went wrong. When to
  /// look again, should nothing happen before.
  Instant go_on(Core& core);
  bool keeps(AuctionId auction) const { return won_.contains(auction); }
  /// What the tasks yet to come add to the time in which the task's slot is free.
  Micros seconds_behind(TaskId under_way) const;

 private:
  enum class Standing { runs, next, over };
  Standing standing_of(const Core& core, const WonBundle& bundle, Instant& review) const;
  void give_up(Core& core, AuctionId auction);

  std::map<AgentId, std::map<std::vector<TaskId>, BidVector>> bids_;  ///< live ones, by their tasks
  std::map<AuctionId, WonBundle> won_;                                ///< not yet all begun
};

}  // namespace bidboard
