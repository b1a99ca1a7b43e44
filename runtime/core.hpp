// The controller's inside: the state it keeps beside the board, and its functions by topic. Everything here
// is lost in a crash and rebuilt from the board and from what agents say; nothing here is the only copy of a
// promise.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "auction/bid.hpp"
#include "blackboard/expression.hpp"
#include "blackboard/task_states.hpp"
#include "runtime/controller.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/leases.hpp"
#include "runtime/roster.hpp"

namespace bidboard {

/// A registered agent that is thought alive.
struct Session {
  PeerId peer;  ///< 0 after a restart, until its next heartbeat
  Instant last_heard;
  bool answers_late = false;  ///< missed a bid deadline: still invited, no longer waited for
};

/// Live bids gathered for one task.
struct OpenAuction {
  WallTime opened_at;
  Instant deadline;
  bool overdue = false;       ///< the deadline has passed and was acted on
  Instant ask_again = never;  ///< everybody declined or was silent: when they are asked once more
  bool recorded = false;      ///< that it ended so stands in the log
  std::set<AgentId> invited;
  std::map<AgentId, BidAnswer> answers;
};

/// What the winner of a live award promised, for calibration and for guessing when it will be free.
struct Promise {
  BidVector bid;                 ///< as said
  Micros corrected_seconds = 0;  ///< as believed
  Instant awarded_at;
};

struct Core {
  Board& board;
  ControllerOptions options;
  Secrets secrets;
  std::unique_ptr<Strategy> strategy;
  std::map<AgentId, Session> sessions;
  Roster roster;
  Leases leases;
  std::map<TaskId, OpenAuction> auctions;
  /// What formulas say of the tasks that wait: a formula costs some 15 µs, and its bid is the same in every
  /// clearing until the task is awarded.
  std::map<TaskId, std::map<AgentId, BidAnswer>> formula_bids;
  std::map<TaskId, Promise> promises;
  std::map<AgentId, std::set<TaskId>> announced;  ///< pull: what each agent has been told of
  bool dispatch_wanted = true;                    ///< something changed since the last settle
  /// Agents with a free slot for which the last walk over all ready tasks found nothing, and what has become
  /// ready since: no further walk for their sake until one of those is for them.
  std::set<AgentId> barren;
  std::vector<TaskId> newly_ready;
  /// Auctions, of the walk under way: how long each task needs that was reserved for the agent.
  std::map<AgentId, std::vector<Micros>> queued;
  std::map<AgentId, Instant> resting;  ///< free agents that others were preferred to, where some are invited
  Instant settle_again = never;        ///< a reserved task should be decided again
  Instant started_at;
  /// Wall clock minus monotonic clock, and what it was before a jump that the present batch makes up for.
  std::optional<Duration> clock_offset;
  std::optional<Duration> offset_before;
  std::uint64_t inputs = 0;
  std::uint64_t malformed = 0;
  std::size_t bytes_read = 0;  ///< of the log, by requests since the last settle

  Now now;                          ///< of the call under way
  Output out;                       ///< of the call under way
  std::map<PeerId, Awards> awards;  ///< of the call under way: one message per agent

  Core(Board& b, ControllerOptions o);

  /// Applies it, and notes what it means for dispatching.
  void emit(EventBody body);
  void send(PeerId to, Message message);
  /// Begins a call: forgets the output of the last one.
  void begin(Now at);
  /// Ends it: what is to be sent, awards gathered per agent.
  Output finish();
  void note(Note::Level level, std::string text);
};

/// Who asks, and with what right.
struct Actor {
  Role role = Role::operator_;
  AgentId agent;     ///< acts as this agent; 0: as operator
  TaskId only_task;  ///< under a token: may touch this task only
  Epoch token_epoch;
  std::string name = "operator";  ///< for refusals and the audit
};

// requests.cpp: what clients ask for.
void on_request(Core& core, PeerId peer, const Request& request);

// clock_jumps.cpp: a wall clock that is set, or a machine that slept while only the wall clock went on.
void notice_clocks(Core& core);
/// After a failed commit: the jump is to be made up for again.
void forget_clock_jump(Core& core);

// posting.cpp: new tasks, what they need and the order that follows.
Result<Posted> post_tasks(Core& core, const Actor& actor, const Post& post);
Result<Changed> change_need(Core& core, const Depend& request);
/// Recomputes the bottom levels of all unfinished tasks, or sets them to zero.
void relevel_all(Core& core, bool by_bottom_level);

// tasks.cpp: the life of a task.
Result<Changed> direct_task(Core& core, const Direct& request);
Result<Changed> reassign_task(Core& core, const Reassign& request);
/// Ends the live attempt without a result and decides what becomes of the task.
struct AttemptEnd {
  std::string reason;
  bool died = false;             ///< the agent died or lost its lease
  bool outcome_unknown = false;  ///< the work may have been done
  bool counts = true;
  bool declined = false;  ///< the agent did not even begin: it is not asked again at once
};
void end_attempt(Core& core, TaskId task, const AttemptEnd& end);
void finish_task(Core& core, const Task& task, AgentId agent, const std::string& result, Micros price,
                 std::int64_t tokens);
/// Readies or skips what waited for a task that has just ended, transitively.
void release_dependents(Core& core, TaskId ended);

// sessions.cpp: agents come, report and go.
void on_register(Core& core, PeerId peer, const Register& message);
void on_heartbeat(Core& core, PeerId peer, const Heartbeat& message);
void on_reports(Core& core, PeerId peer, const Reports& message);
void on_leave(Core& core, const Leave& message);
/// `left`: it said goodbye, so what it held uses up no attempt.
void agent_gone(Core& core, AgentId agent, const std::string& reason, bool left = false);
/// The agent behind a message, its secret checked and its lease renewed; nothing (and WhoAreYou sent) when it
/// is unknown.
const Agent* authenticate(Core& core, PeerId peer, AgentId agent, const std::string& secret);
/// Whether a result that repeats an ended award's last word says anything that the task's result does not:
/// the task failed, or was finished with another one.
bool is_news(const Core& core, const Task& task, const std::string& result);
/// Keeps a result that came too late as a discovery.
void keep_late_result(Core& core, const Task& task, AgentId agent, Epoch epoch, const std::string& result);
/// Tells the holder of a live award to stop.
void revoke(Core& core, const Task& task, const std::string& reason);

// dispatch.cpp: the one award path.
void settle(Core& core);
void on_take(Core& core, PeerId peer, const Take& message);
/// Why the agent may not have the task; nothing when it may. Where nobody is asked for a bid, the price that
/// the agent is known to take must fit the budget.
std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent);
/// What the event changes for the next settle; to be called before it is applied.
void note_for_dispatch(Core& core, const EventBody& body);
/// Awards the task. REQUIRES: the state allows it and the agent may take it.
Claimed award(Core& core, const Task& task, const Agent& agent, Auction decision, bool shell_claim);
AwardItem award_item(const Core& core, const Task& task);
TaskOffer offer_of(const Task& task);

// bidding.cpp: gathering bids.
void on_bids(Core& core, PeerId peer, const Bids& message);
void settle_by_bids(Core& core, const Situation& situation);
/// When each of the agent's slots is expected to be free: ClearingAgent::slot_free_in.
std::vector<Micros> slots_free_in(const Core& core, const AgentView& view);
/// A task is held back for an agent that is busy for so long yet: dispatch again then, should nothing happen
/// before.
void review_in(Core& core, Micros wait);
/// Forgets what was announced and bid for the task.
void close_auction(Core& core, TaskId task);

}  // namespace bidboard
