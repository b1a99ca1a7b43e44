// The bids for tasks that wait: which agents were asked and what they answered, what formulas say, and what
// all of it comes to for one task. Belongs to the strategy `auction`. Pure, for one thread.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "auction/bid.hpp"
#include "runtime/coordination/situation.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {

/// Live bids gathered for one task.
struct OpenAuction {
  WallTime opened_at;
  Instant deadline;
  bool overdue = false;       ///< the deadline has passed and was acted on
  Instant ask_again = never;  ///< everybody declined or was silent: when they are asked once more
  bool recorded = false;      ///< that it ended so stands in the log
  std::set<AgentId> invited;
  std::map<AgentId, BidAnswer> answers;
  std::set<AgentId> awaited;  ///< of the invited, when bids were gathered last: those still to answer

  void forget(AgentId agent) { invited.erase(agent), answers.erase(agent), awaited.erase(agent); }
};

/// One task's bids on their way to clearing.
struct Gathered {
  const TaskView* view = nullptr;
  std::vector<RecordedBid> bids;  ///< score without the wait until recorded
  std::map<RefusalReason, RecordedRefusal> refusals;
  bool complete = true;  ///< everybody who is waited for has answered

  void refuse(AgentId agent, const Refusal& refusal);
};

/// One piece of the walk, while bids are gathered for its tasks.
struct Asking {
  Core& core;
  const Situation& situation;
  std::map<AgentId, Announcement> announcements = {};  ///< what each agent is to be asked
  std::map<AgentId, Calibration> experience = {};      ///< of the kind of task that was looked at last

  /// What experience makes of a bid, when calibration is on.
  BidVector believed(AgentId agent, const TaskSpec& task, const BidVector& said);
};

class BidBook {
 public:
  /// The bids for a task of the piece; agents that are to be asked for theirs gain an announcement.
  Gathered gather(Asking& asking, const TaskView& view);
  /// An agent's answer about a task that it was asked for. True: nobody is waited for any more.
  bool on_bid(AgentId agent, const Bid& bid);
  bool is_invited(AgentId agent, TaskId task) const;
  /// It answers again: its bids are waited for from now on.
  void wait_for(AgentId agent) { late_.erase(agent); }

  /// nullptr: no agent was asked.
  OpenAuction* find(TaskId task);
  /// The round of asking is over; formulas still say the same.
  void end_round(TaskId task) { auctions_.erase(task); }
  /// The task is no longer up for award.
  void close(TaskId task) { auctions_.erase(task), formula_bids_.erase(task); }
  /// Agents that did not answer before a deadline that has passed are not waited for until they speak.
  void note_late(const Core& core);
  /// Marks the auctions whose deadline has passed. True: there are new ones.
  bool tick(Instant now);
  Instant next_deadline() const;
  /// What it said does not count any more.
  void forget(AgentId agent);
  void clear() { auctions_.clear(), formula_bids_.clear(); }

 private:
  OpenAuction& open(Asking& asking, const TaskView& view);
  const BidAnswer& formula_answer(const Task& task, const Agent& agent);
  BidAnswer answer_of(Asking& asking, const TaskView& view, const Agent& agent, bool& waits);
  void gather_from(Asking& asking, const Agent& agent, Gathered& gathered);

  std::map<TaskId, OpenAuction> auctions_;
  /// What formulas say of the tasks that wait: a formula costs some 15 µs, and its bid is the same in every
  /// clearing until the task is awarded.
  std::map<TaskId, std::map<AgentId, BidAnswer>> formula_bids_;
  std::set<AgentId> late_;  ///< missed a bid deadline: still invited, no longer waited for
};

}  // namespace bidboard
