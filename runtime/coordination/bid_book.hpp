// The bids for waiting tasks: which agents were asked, what they answered, the bids from formulas, and all of
// this gathered for one task. Belongs to the strategy `auction`. Pure, for one thread.
#pragma once

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "auction/bid.hpp"
#include "runtime/coordination/situation.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {

/// Live bids gathered for one task.
struct OpenAuction {
  WallTime opened_at;
  Instant deadline;
  bool overdue = false;       ///< the deadline has passed and was handled
  Instant ask_again = never;  ///< all declined or were silent: when they are asked once more
  bool recorded = false;      ///< the log has the record that there were no bids
  std::set<AgentId> invited;
  std::map<AgentId, BidAnswer> answers;
  std::set<AgentId> awaited;  ///< invited agents that had not answered when bids were last gathered

  void forget(AgentId agent) { invited.erase(agent), answers.erase(agent), awaited.erase(agent); }
};

/// One task's bids, prepared for clearing.
struct Gathered {
  const TaskView* view = nullptr;
  OpenAuction* auction = nullptr;  ///< while bids are gathered, once an agent had to be asked
  std::vector<RecordedBid> bids;   ///< scores exclude the wait until they are recorded
  std::map<RefusalReason, RecordedRefusal> refusals;
  bool complete = true;  ///< every agent that is waited for has answered

  void refuse(AgentId agent, const Refusal& refusal);
};

/// One piece of the walk, while bids are gathered for its tasks.
struct Asking {
  Core& core;
  const Situation& situation;
  std::map<AgentId, Announcement> announcements = {};  ///< the questions to send to each agent
  std::map<AgentId, Calibration> experience = {};      ///< for the kind of task that was examined last

  /// The bid corrected by experience, if calibration is on.
  BidVector believed(AgentId agent, const TaskSpec& task, const BidVector& said);
};

class BidBook {
 public:
  /// The bids for a task of the piece; adds the task to the announcements of agents that must be asked.
  Gathered gather(Asking& asking, const TaskView& view);
  /// An agent's answer about a task that it was asked for. True: no further answer is awaited.
  bool on_bid(AgentId agent, const Bid& bid);
  bool is_invited(AgentId agent, TaskId task) const;
  /// The agent answers again: its bids are waited for from now on.
  void wait_for(AgentId agent) { late_.erase(agent); }

  /// nullptr: no agent was asked.
  OpenAuction* find(TaskId task);
  /// The round of questions is over; bids from formulas stay valid.
  void end_round(TaskId task);
  /// The task is no longer up for award.
  void close(TaskId task) { end_round(task), formula_bids_.erase(task); }
  /// Agents that did not answer before a deadline that has passed are not waited for until they send
  /// something.
  void note_late(const Core& core);
  /// Handles the deadlines that have passed. True: there were some.
  bool tick(Instant now);
  Instant next_deadline() const;
  /// The agent's bids no longer count.
  void forget(AgentId agent);
  void clear();

 private:
  OpenAuction& open(Asking& asking, const TaskView& view);
  const BidAnswer& formula_answer(const Task& task, const Agent& agent);
  BidAnswer answer_of(Asking& asking, const Agent& agent, Gathered& gathered, bool& waits);
  void gather_from(Asking& asking, const Agent& agent, Gathered& gathered);

  /// Keeps what is derived from an auction (the next three members): call unlist() before its deadline or its
  /// answers change, list() after.
  void unlist(TaskId task, const OpenAuction& auction);
  void list(TaskId task, const OpenAuction& auction);
  void answered_late(AgentId agent);
  bool pass_deadlines(Instant now);

  std::map<TaskId, OpenAuction> auctions_;
  using Deadline = std::pair<Instant, TaskId>;
  std::set<Deadline> running_;     ///< of auctions that are not overdue, so that no turn visits all of them
  std::set<Deadline> unanswered_;  ///< those of them in which not all have answered
  std::map<AgentId, std::size_t> behind_;  ///< in how many overdue auctions the agent has not answered
  bool passed_ = false;                    ///< a deadline was handled, but tick() has not said so yet
  /// Bids from formulas for the waiting tasks. Evaluating a formula costs some 15 µs, and its bid is the same
  /// in every clearing until the task is awarded.
  std::map<TaskId, std::map<AgentId, BidAnswer>> formula_bids_;
  std::set<AgentId> late_;  ///< missed a bid deadline: still invited, but not waited for
};

}  // namespace bidboard
