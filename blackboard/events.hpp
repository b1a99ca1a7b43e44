// What happened: decided facts, in the order of the log. The log is the truth; the records are its fold
// (Board::apply). Events are stored by their position in EventBody and by field order: append, never remove
// or reorder.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "blackboard/records.hpp"

namespace bidboard {

/// A serving controller took over the board.
struct TermStarted {
  Term term;
  std::int64_t pid = 0;
  BB_FIELDS(term, pid)
};
struct ConfigSet {
  Config config;
  BB_FIELDS(config)
};
struct TaskPosted {
  Task task;
  BB_FIELDS(task)
};
/// A move that no agent takes part in: readied, offered, withdrawn, skipped, cancelled, paused, resumed.
struct TaskMoved {
  TaskId task;
  TaskState to = TaskState::ready;
  std::string reason;
  BB_FIELDS(task, to, reason)
};
struct BackoffOver {
  TaskId task;
  BB_FIELDS(task)
};
struct TaskAwarded {
  TaskId task;
  AgentId agent;
  Epoch epoch;
  std::string capability_hash;
  bool shell_claim = false;
  WallTime deadline;
  Auction decision;  ///< decision.id is 0 when no bids decided
  BB_FIELDS(task, agent, epoch, capability_hash, shell_claim, deadline, decision)
};
struct TaskStarted {
  TaskId task;
  Epoch epoch;
  BB_FIELDS(task, epoch)
};
struct TaskProgressed {
  TaskId task;
  Epoch epoch;
  Micros fraction = 0;
  std::string text;
  BB_FIELDS(task, epoch, fraction, text)
};
/// A claim at the shell was renewed.
struct TaskRenewed {
  TaskId task;
  Epoch epoch;
  WallTime deadline;
  BB_FIELDS(task, epoch, deadline)
};
/// Neither output nor progress came for the task's stall_after. The attempt goes on.
struct TaskStalled {
  TaskId task;
  Epoch epoch;
  BB_FIELDS(task, epoch)
};
/// The live attempt ended without an accepted result.
struct AttemptEnded {
  TaskId task;
  Epoch epoch;
  AgentId agent;
  TaskState to = TaskState::ready;  ///< ready, failed, quarantined or waiting
  std::string reason;
  bool died = false;             ///< its agent died or fell silent
  bool counts = true;            ///< it uses up one of the task's attempts
  WallTime not_before;           ///< back-off; 0: none
  WallTime began;                ///< as in TaskFinished
  Outage outage = Outage::none;  ///< its agent could not work; the attempt tells nothing about the task
  WallTime outage_until;         ///< as the provider says; 0: it does not say
  Micros price = 0;              ///< delivered all the same
  std::int64_t tokens = 0;
  BB_FIELDS(task, epoch, agent, to, reason, died, counts, not_before, began, outage, outage_until, price,
            tokens)
};
/// The one result was accepted.
struct TaskFinished {
  TaskId task;
  Epoch epoch;
  AgentId agent;
  std::string result;       ///< when at most 1 KB ...
  std::string result_blob;  ///< ... else its content hash
  Micros price = 0;
  std::int64_t tokens = 0;
  /// When the work began, from how long its agent says it took; 0: as TaskStarted says. Short work is over
  /// before the controller hears that it began.
  WallTime began;
  BB_FIELDS(task, epoch, agent, result, result_blob, price, tokens, began)
};
/// `retry`: an ended task starts over.
struct TaskReopened {
  TaskId task;
  TaskState to = TaskState::ready;
  std::string reason;
  BB_FIELDS(task, to, reason)
};
struct NeedAdded {
  TaskId task;
  Need need;
  BB_FIELDS(task, need)
};
struct NeedRemoved {
  TaskId task;
  TaskId need;
  BB_FIELDS(task, need)
};
struct Level {
  TaskId task;
  Micros bottom_level = 0;
  BB_FIELDS(task, bottom_level)
};
/// New dependents made the chains of work behind these tasks longer.
struct LevelsRaised {
  std::vector<Level> levels;
  BB_FIELDS(levels)
};
/// Only this agent may have the task next; 0: anyone again.
struct TaskReserved {
  TaskId task;
  AgentId agent;
  AuctionId bundle;  ///< in which the agent won it together with another; 0: an operator wants it so
  BB_FIELDS(task, agent, bundle)
};
struct AgentRegistered {
  Agent agent;
  BB_FIELDS(agent)
};
struct AgentSeen {
  AgentId agent;
  BB_FIELDS(agent)
};
struct AgentLeft {
  AgentId agent;
  std::string reason;
  BB_FIELDS(agent, reason)
};
struct Calibrated {
  Calibration calibration;
  BB_FIELDS(calibration)
};
struct DiscoveryPosted {
  Discovery discovery;
  BB_FIELDS(discovery)
};
struct WorkflowPosted {
  Workflow workflow;
  BB_FIELDS(workflow)
};
/// The reply to a client's request, kept to answer its repetitions.
struct Replied {
  ClientId client;
  std::uint64_t request = 0;
  std::string bytes;
  BB_FIELDS(client, request, bytes)
};
struct ClientForgotten {
  ClientId client;
  BB_FIELDS(client)
};
/// A request that the rules forbid.
struct RequestRefused {
  std::string who;
  Action action = Action::post;
  TaskId task;
  std::string reason;
  BB_FIELDS(who, action, task, reason)
};

/// Everybody who was asked in an auction declined, was silent or did not count: no agent gets the task until
/// they are asked again. Once for each round of asking.
struct AuctionFailed {
  TaskId task;
  Auction decision;    ///< without a winner
  WallTime ask_again;  ///< when they are asked again, should nothing change before
  BB_FIELDS(task, decision, ask_again)
};

/// Something keeps the task from being awarded until it is lifted.
struct TaskHeld {
  TaskId task;
  Hold hold;
  BB_FIELDS(task, hold)
};
/// It does so no more. (The end of a back-off is BackoffOver, that of a pause TaskMoved.)
struct HoldLifted {
  TaskId task;
  HoldKind hold = HoldKind::backoff;
  BB_FIELDS(task, hold)
};

/// What was asked for changed. What follows from that (a move, a reservation that ends) are further events.
struct TaskEdited {
  TaskId task;
  AgentId agent;  ///< who edited it; 0: an operator
  TaskEdit change;
  std::string what;  ///< the change in words, as in EditNote
  BB_FIELDS(task, agent, change, what)
};
struct CommentPosted {
  Comment comment;
  BB_FIELDS(comment)
};
/// A circuit breaker opened, probes, or closed; or a failure or a result was counted.
struct BreakerMoved {
  Breaker breaker;
  BB_FIELDS(breaker)
};

/// An operator allows more to be spent.
struct BudgetRaised {
  std::string scope;  ///< of the record (Spending)
  Amount by;
  BB_FIELDS(scope, by)
};

/// A process has ended after its award: it delivered the accepted result while it ran, or it was cut off.
/// What it had spent, as it told, or as it was expected to.
struct AttemptSettled {
  TaskId task;
  Epoch epoch;
  AgentId agent;
  Micros price = 0;
  std::int64_t tokens = 0;
  BB_FIELDS(task, epoch, agent, price, tokens)
};

/// The work of the attempt that finishes the task, or finished it, is in this commit.
struct WorkSaved {
  TaskId task;
  Epoch epoch;
  SavedWork work;
  BB_FIELDS(task, epoch, work)
};

using EventBody =
    std::variant<TermStarted, ConfigSet, TaskPosted, TaskMoved, BackoffOver, TaskAwarded, TaskStarted,
                 TaskProgressed, TaskRenewed, TaskStalled, AttemptEnded, TaskFinished, TaskReopened,
                 NeedAdded, NeedRemoved, LevelsRaised, TaskReserved, AgentRegistered, AgentSeen, AgentLeft,
                 Calibrated, DiscoveryPosted, WorkflowPosted, Replied, ClientForgotten, RequestRefused,
                 AuctionFailed, TaskHeld, HoldLifted, TaskEdited, CommentPosted, BreakerMoved, AttemptSettled,
                 BudgetRaised, WorkSaved>;

struct Event {
  WallTime at;
  EventBody body;
  BB_FIELDS(at, body)
};

/// "task_awarded": the name in `log` and `watch`.
std::string_view kind(const Event& event);
/// The record of the auction that the event decided; nullptr when it decided none.
const Auction* auction_in(const Event& event);
/// The task or agent the event is about; 0 when none.
TaskId task_of(const Event& event);
AgentId agent_of(const Event& event);

}  // namespace bidboard
