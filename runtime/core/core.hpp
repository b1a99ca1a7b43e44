// The controller's inside: the state it keeps beside the board, and its functions by topic. Everything here
// is lost in a crash and rebuilt from the board and from what agents say; nothing here is the only copy of a
// promise.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "auction/bundles.hpp"
#include "auction/clearing.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/task_states.hpp"
#include "blackboard/text/expression.hpp"
#include "runtime/coordination/delegation.hpp"
#include "runtime/coordination/roster.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/controller.hpp"
#include "runtime/core/leases.hpp"

namespace bidboard {

/// A registered agent that is thought alive.
struct Session {
  PeerId peer;  ///< 0 after a restart, until its next heartbeat
  Instant last_heard;
  bool answers_late = false;  ///< missed a bid deadline: still invited, no longer waited for
  bool has_secret = false;    ///< has shown its secret since it registered, so it need not register again
  // Strategy `peer` (agreement.hpp).
  std::string endpoint = {};      ///< where other agents reach it; empty: nowhere, or it has not said yet
  std::uint64_t peers_told = 0;   ///< number of the last Peers that was sent to it
  std::uint64_t peers_heard = 0;  ///< and of the last one that it confirmed
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
  std::set<AgentId> awaited;  ///< of the invited, when bids were gathered last: those still to answer

  void forget(AgentId agent) { invited.erase(agent), answers.erase(agent), awaited.erase(agent); }
};

/// What the winner of a live award promised, for calibration and for guessing when it will be free.
struct Promise {
  BidVector bid;                 ///< as said
  Micros corrected_seconds = 0;  ///< as believed
  Instant awarded_at;
};

/// Tasks that an agent won together and does one after the other, in one slot. The one under way is awarded,
/// the others are reserved for it.
struct WonBundle {
  BundleBid said;                ///< as said, all of it
  Micros corrected_seconds = 0;  ///< of each task, as believed
  Micros score = 0;              ///< of each task
  AgentId agent;
  TaskId under_way;
  Epoch epoch;               ///< of the award of that one
  std::vector<TaskId> left;  ///< in the order in which they come
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
  std::map<AgentId, std::map<std::vector<TaskId>, BidVector>> bundle_bids;  ///< live ones, by their tasks
  std::map<AuctionId, WonBundle> bundles;                                   ///< not yet all begun
  std::map<AgentId, std::set<TaskId>> announced;  ///< pull, agree: what each agent has been told of
  // Strategy `peer` (agreement.hpp).
  std::uint64_t peers_number = 0;             ///< of the last Peers
  bool peers_changed = true;                  ///< somebody came, went or can be reached elsewhere
  std::vector<AgentId> peers;                 ///< who is reachable, as of the last Peers
  std::map<AgentId, PeerOffers> peer_offers;  ///< to be told at the end of the settle
  Hierarchy hierarchy;
  bool dispatch_wanted = true;  ///< something changed since the last settle
  /// Agents with a free slot for which the last walk over all ready tasks found nothing, and what has become
  /// ready since: no further walk for their sake until one of those is for them.
  std::set<AgentId> barren;
  std::vector<TaskId> newly_ready;
  /// Auctions, of the walk under way: how long each task needs that was reserved for the agent.
  std::map<AgentId, std::vector<Micros>> queued;
  /// Free agents that others were preferred to, where only some are invited, and until when; by id.
  std::vector<std::pair<AgentId, Instant>> resting;
  Instant settle_again = never;  ///< a reserved task should be decided again
  Instant started_at;
  /// Wall clock minus monotonic clock, and what it was before a jump that the present batch makes up for.
  std::optional<Duration> clock_offset;
  std::optional<Duration> offset_before;
  std::uint64_t awards_made = 0;
  std::uint64_t inputs = 0;
  std::uint64_t malformed = 0;
  std::size_t bytes_read = 0;  ///< of the log, by requests since the last settle

  Now now;                          ///< of the call under way
  Origin origin;                    ///< of the message under way
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
/// Whether the message under way may speak for the agent at all, whatever it shows: it came from this
/// machine, over an operator's key, or over the key over which the agent registered.
bool speaks_for(const Core& core, const Agent& agent);
/// Whether its process is on this machine, so that its end is seen at once. A remote one may claim what it
/// likes.
bool is_watched(const Core& core, const Agent& agent);
/// What is wrong with an agent's name; empty when nothing is.
std::string flaw_of_name(const std::string& name);
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
/// It waits for an award, and not for the end of a back-off.
bool may_be_awarded(const Task& task);
/// Why the agent may not have the task; nothing when it may. Where nobody is asked for a bid, the price that
/// the agent is known to take must fit the budget.
std::optional<Refusal> objection(const Core& core, const Task& task, const Agent& agent);
/// What the event changes for the next settle; to be called before it is applied.
void note_for_dispatch(Core& core, const EventBody& body);
/// Awards the task. REQUIRES: the state allows it and the agent may take it.
Claimed award(Core& core, const Task& task, const Agent& agent, Auction decision, bool shell_claim);
AwardItem award_item(const Core& core, const Task& task);
TaskOffer offer_of(const Task& task);

/// What is told of a decision that no bids led to.
Auction plain_decision(const Core& core, TaskId task, std::string why);

// bundles.cpp: tasks that are bid for and won together.
void keep_bundle_bid(Core& core, AgentId agent, const Bid& bid);
/// The task's auction is over, or all are asked anew.
void drop_bundle_bids(Core& core, TaskId task);
/// Tasks that somebody offers together with one for which bids are still awaited, and these themselves: were
/// they awarded before, the bundle would never count. The wait ends with the deadline for those bids.
std::set<TaskId> held_by_bundles(const Core& core, std::set<TaskId> awaited);
/// Whether somebody offered it together with others.
bool has_bundle_bid(const Core& core, TaskId task);
/// A bundle bid that counts in a clearing.
struct BundleOffer {
  AgentId agent;
  BundleBid said;
  BidVector believed;
};
/// Every bundle bid whose tasks are all in the problem and whose agent may have each of them: live ones, and
/// those of agents with a set-up whose single bids (`proxies`) the controller works out.
std::vector<BundleOffer> bundles_for(const Core& core, const Situation& situation, const Problem& problem,
                                     const std::map<AgentId, std::vector<SingleBid>>& proxies);
/// The first task of a bundle was awarded in that auction: the others are reserved and follow.
void begin_bundle(Core& core, AuctionId auction, WonBundle bundle);
/// Awards what comes next in each bundle whose slot is free, and gives up on those that went wrong.
void continue_bundles(Core& core);
/// What the tasks yet to come add to the time in which the task's slot is free.
Micros seconds_behind(const Core& core, TaskId under_way);

// bidding.cpp: gathering bids.
void on_bids(Core& core, PeerId peer, const Bids& message);
void settle_by_bids(Core& core, const Situation& situation);
/// When each of the agent's slots is expected to be free: ClearingAgent::slot_free_in.
std::vector<Micros> slots_free_in(const Core& core, const AgentView& view);
/// A task is held back for an agent that is busy for so long yet: dispatch again then, should nothing happen
/// before.
void review_in(Core& core, Micros wait);
/// Forgets what was announced and bid for the task. `awarded`: it is about to be.
void close_auction(Core& core, TaskId task, bool awarded = false);

}  // namespace bidboard
