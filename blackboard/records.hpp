// What is kept: the records of the board, plain data. Each is stored under its key (keys.hpp) and changed
// only by Board::apply (board.hpp). Times are wall time; costs, sizes, speeds and levels are micro-units
// (time.hpp). BB_FIELDS is the stored order: append, never remove or reorder.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "blackboard/accounts.hpp"
#include "blackboard/fields.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/roles.hpp"
#include "blackboard/saved_work.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Stored: never change a number. The moves between them are in task_states.cpp.
enum class TaskState : std::uint8_t {
  blocked = 1,       ///< waits for the tasks that it needs to end
  ready = 2,         ///< may be awarded (once its back-off is over)
  offered = 3,       ///< announced; bids are awaited
  awarded = 4,       ///< an agent holds it, not yet begun
  running = 5,       ///< its agent reported the start
  done = 6,          ///< its one result was accepted
  failed = 7,        ///< its attempts are used up
  cancelled = 8,     ///< a person or an agent cancelled it
  skipped = 9,       ///< a task it needs ended other than done
  waiting = 10,      ///< a person must decide: a step that may not be repeated ended with unknown outcome
  paused = 11,       ///< held back by an operator
  quarantined = 12,  ///< its attempts killed their agents too often
};

struct SkillNeed {
  std::string name;
  Micros level = 0;  ///< least level; 0: any
  bool operator==(const SkillNeed&) const = default;
  BB_FIELDS(name, level)
};

struct Skill {
  std::string name;
  Micros level = one;  ///< 0 < level ≤ 1 by convention; divides the time a task takes
  auto operator<=>(const Skill&) const = default;
  BB_FIELDS(name, level)
};

/// An environment variable.
struct EnvVariable {
  std::string name;
  std::string value;
  bool operator==(const EnvVariable&) const = default;
  BB_FIELDS(name, value)
};

/// One edge of the dependency graph.
struct Need {
  TaskId task;
  bool any = false;  ///< satisfied however the needed task ends
  bool operator==(const Need&) const = default;
  BB_FIELDS(task, any)
};

/// What the poster asked for. Fixed once posted, except what a TaskEdit lists.
struct TaskSpec {
  std::string title;
  std::string body;
  std::string kind = "task";  ///< groups tasks that take similarly long, for calibration
  std::string project;        ///< empty in a request: the board's default
  std::string run;            ///< a shell command; executed only by agents that allow it
  std::vector<SkillNeed> skills;
  std::vector<Need> needs;
  Micros size = one;               ///< expected work: seconds at speed 1 and skill level 1
  std::int64_t priority = 0;       ///< higher first
  Duration timeout = minutes(30);  ///< wall time of one attempt
  std::uint32_t attempts = 3;      ///< how many attempts at most
  Duration stall_after{};          ///< silence after which an attempt is reported stalled; 0: never
  bool repeatable = true;          ///< false: after an attempt with unknown outcome a person decides
  Micros budget = 0;               ///< the most it may cost; 0: no bound
  std::string key;                 ///< posting the same key twice is one task; empty: none
  TaskId parent;
  WorkflowId workflow;
  std::string name;                  ///< its name in a job file or trace; empty: none
  bool exclusive = false;            ///< only agents that work for its workflow alone may take it, and people
  std::vector<std::string> labels;   ///< for people and queries; sorted, each once
  std::vector<EnvVariable> env;      ///< of its executions; plain values, which anyone can read
  std::vector<std::string> secrets;  ///< its agent must offer secrets of these names
  std::string dir;                   ///< where it is executed, below the agent's own directory; empty: there
  bool operator==(const TaskSpec&) const = default;
  BB_FIELDS(title, body, kind, project, run, skills, needs, size, priority, timeout, attempts, stall_after,
            repeatable, budget, key, parent, workflow, name, exclusive, labels, env, secrets, dir)
};

/// The new values of what an edit changes. What has no value stays as it is.
struct TaskEdit {
  std::optional<std::string> title;
  std::optional<std::string> body;
  std::optional<std::int64_t> priority;
  std::optional<Duration> timeout;
  std::optional<std::vector<SkillNeed>> skills;
  std::optional<std::vector<Need>> needs;
  std::optional<std::vector<std::string>> labels;
  bool operator==(const TaskEdit&) const = default;
  BB_FIELDS(title, body, priority, timeout, skills, needs, labels)
};

/// What keeps a waiting task from being awarded until it is lifted. Stored: never change a number.
enum class HoldKind : std::uint8_t {
  backoff = 1,  ///< an attempt has just failed: not again at once
  pause = 2,    ///< an operator holds it back
  budget = 3,   ///< what may be spent does not allow another attempt
};
/// A task that is held stands in no queue of ready tasks. It may have one hold of each kind.
struct Hold {
  HoldKind kind = HoldKind::backoff;
  WallTime until;   ///< 0: until it is lifted
  std::string why;  ///< for people; may be empty
  bool operator==(const Hold&) const = default;
  BB_FIELDS(kind, until, why)
};

/// Why an earlier attempt did not end in a result; handed to the next one.
struct AttemptFailure {
  Epoch epoch;
  AgentId agent;
  std::string reason;
  bool operator==(const AttemptFailure&) const = default;
  BB_FIELDS(epoch, agent, reason)
};

/// An edit of the task, for people.
struct EditNote {
  WallTime at;
  AgentId agent;     ///< who edited it; 0: an operator
  std::string what;  ///< "priority from 0 to 5; labels from none to urgent"
  bool operator==(const EditNote&) const = default;
  BB_FIELDS(at, agent, what)
};

struct Task {
  TaskId id;
  TaskSpec spec;
  TaskState state = TaskState::blocked;
  std::uint32_t open_needs = 0;          ///< needed tasks that have not ended
  Micros bottom_level = 0;               ///< its size plus the longest chain of work that waits for it
  Epoch epoch;                           ///< of the last award; 0: never awarded
  AgentId holder;                        ///< while awarded or running; afterwards, who ended it
  std::string capability_hash;           ///< of the live award's secret (secrets.hpp)
  bool shell_claim = false;              ///< held by a claim without heartbeat: `deadline` is its lease
  WallTime deadline;                     ///< of the live attempt; 0: none
  WallTime not_before;                   ///< older versions: until when a back-off holds; see upcast()
  std::uint32_t attempts = 0;            ///< attempts begun, ever since the last `retry`
  std::uint32_t deaths = 0;              ///< of those, ended by their agent's death
  std::vector<AttemptFailure> failures;  ///< the last eight
  WallTime created_at;
  WallTime ready_at;
  WallTime awarded_at;
  WallTime started_at;
  WallTime finished_at;
  std::string reason;       ///< why it is in this state, for people
  std::string result;       ///< JSON text or any bytes, when at most 1 KB ...
  std::string result_blob;  ///< ... else the hash of the blob that holds it (secrets.hpp: content_hash)
  Micros price = 0;         ///< delivered
  std::int64_t tokens = 0;  ///< delivered; 0: not reported
  Micros progress = 0;      ///< 0 to 1
  std::string progress_text;
  AuctionId auction;            ///< of the last award; 0: it was not decided by bids
  AgentId reserved_for;         ///< only this agent may have it next: by `reassign`, or with a bundle it won
  AuctionId reserved_in;        ///< the auction in which it won that bundle; 0: by `reassign`
  std::vector<Hold> holds;      ///< what keeps it from being awarded, by kind
  std::vector<EditNote> edits;  ///< the last eight
  std::uint32_t comment_count = 0;  ///< the comments themselves are records of their own
  Micros spent = 0;                 ///< price of all its attempts
  std::int64_t spent_tokens = 0;    ///< of all its attempts
  Epoch settled;                    ///< the last one of which AttemptSettled was counted
  std::string branch;  ///< where the work of the attempt that finished it is, if it had a worktree ...
  std::string commit;  ///< ... and the commit of it
  bool operator==(const Task&) const = default;
  // The fields that queries ask for most come first, so that reading them need not decode the rest.
  BB_FIELDS(id, state, epoch, holder, attempts, created_at, ready_at, awarded_at, started_at, finished_at,
            open_needs, bottom_level, deadline, not_before, deaths, shell_claim, auction, reserved_for, price,
            tokens, progress, capability_hash, failures, reason, progress_text, result, result_blob, spec,
            reserved_in, holds, edits, comment_count, spent, spent_tokens, settled, branch, commit)

  /// Called on what was decoded: a record of an older version becomes what this one would have written.
  void upcast();
};

/// Stored: never change a number.
enum class BidStyle : std::uint8_t {
  standard = 0,  ///< the controller assumes size / speed / skill level
  formula = 1,   ///< a proxy bid: the controller evaluates `cost_formula`
  live = 2,      ///< the agent is asked for every task
};
enum class AgentState : std::uint8_t {
  live = 0,   ///< connected, heartbeats
  gone = 1,   ///< left, died or lost its lease
  shell = 2,  ///< a name used with `claim --as`: no process, no heartbeat
};

/// What an agent says of itself when it registers.
struct AgentProfile {
  std::string name;
  Role role = Role::specialist;
  std::string parent;   ///< its manager's name; empty: none
  std::string project;  ///< works for this project only; empty: for all
  std::vector<Skill> skills;
  Micros speed = one;
  std::uint32_t capacity = 1;  ///< tasks at once
  BidStyle bids = BidStyle::standard;
  std::string cost_formula;  ///< expected seconds as a Lua expression over the task's fields (expression.hpp)
  Micros price_per_second = 0;  ///< added to the price of standard and formula bids
  bool allow_run = false;       ///< executes a task's own `run` command
  bool simulated = false;       ///< does every task by waiting
  std::int64_t pid = 0;         ///< its process on `host`
  std::string host;
  /// Seconds it saves on each further task of the same kind and project that it takes in one go: it bids for
  /// several together too (auction/bundles.hpp).
  Micros set_up = 0;
  bool only_commands = false;  ///< has no way to do a task without a `run` command
  WorkflowId workflow;         ///< works for this workflow only; 0: for all
  std::string account;  ///< what it shares with other agents at a provider: limits and outages; empty: none
  std::vector<std::string>
      secrets;             ///< names of the secrets that its executions get; it alone has the values
  bool allow_env = false;  ///< tasks may set variables of its own command, not only of theirs
  bool operator==(const AgentProfile&) const = default;
  BB_FIELDS(name, role, parent, project, skills, speed, capacity, bids, cost_formula, price_per_second,
            allow_run, simulated, pid, host, set_up, only_commands, workflow, account, secrets, allow_env)
};

struct Agent {
  AgentId id;
  AgentProfile profile;
  AgentState state = AgentState::live;
  std::string secret_hash;        ///< of the registration's secret (secrets.hpp)
  std::uint64_t incarnation = 0;  ///< drawn by the process: distinguishes two processes of one name
  WallTime registered_at;
  WallTime seen_at;            ///< last sign of life that was recorded (at most a minute old while live)
  std::string reason;          ///< why it is gone
  std::uint64_t finished = 0;  ///< results accepted, ever
  std::uint64_t failed = 0;    ///< attempts that ended otherwise, ever
  std::string key;             ///< name of the key over which it registered; empty: on the board's machine
  bool operator==(const Agent&) const = default;
  BB_FIELDS(id, profile, state, secret_hash, incarnation, registered_at, seen_at, reason, finished, failed,
            key)
};

/// Promised against delivered, per agent and task kind (auction/calibration.hpp).
struct Calibration {
  AgentId agent;
  std::string kind;
  std::uint32_t samples = 0;
  Micros seconds_ratio = one;  ///< delivered / promised, smoothed
  Micros price_ratio = one;
  Micros success = one;  ///< smoothed share of attempts that ended in a result
  bool operator==(const Calibration&) const = default;
  BB_FIELDS(agent, kind, samples, seconds_ratio, price_ratio, success)
};

/// Why an agent did not bid, or its bid did not count. Stored: never change a number.
enum class RefusalReason : std::uint8_t {
  role = 1,            ///< its role does not take tasks
  skill = 2,           ///< lacks a needed skill or its level
  project = 3,         ///< works for another project
  budget = 4,          ///< asks more than the task may cost, or has spent what it may
  run = 5,             ///< the task is a command and the agent executes none, or it only executes commands
  reserved = 6,        ///< the task is reserved for another agent
  declined = 7,        ///< the agent said no, with its own words
  silent = 8,          ///< no answer before the deadline
  invalid = 9,         ///< an answer that is not a bid
  failed_before = 10,  ///< it failed this task already and another agent may try
  workflow = 11,       ///< works for another workflow, or the task is left to its workflow's own agents
  rests = 12,          ///< its circuit breaker, or its account's, is open
  environment = 13,    ///< offers not all secrets that the task requires, or takes no variables from tasks
  later = 14,          ///< its account takes only what others have left for some time
};

struct RecordedBid {
  AgentId agent;
  Micros seconds = 0;  ///< promised duration
  Micros price = 0;
  Micros confidence = one;
  Micros corrected_seconds = 0;  ///< after calibration; what was scored
  Micros wait = 0;               ///< seconds until it could begin
  Micros score = 0;              ///< lower is better
  bool operator==(const RecordedBid&) const = default;
  BB_FIELDS(agent, seconds, price, confidence, corrected_seconds, wait, score)
};

struct RecordedRefusal {
  RefusalReason reason = RefusalReason::role;
  std::uint32_t count = 0;
  std::vector<AgentId> agents;  ///< the first eight
  std::string detail;           ///< of the first one
  /// Of each of `agents`, in their order, unless all say the same: then empty.
  std::vector<std::string> details;
  bool operator==(const RecordedRefusal&) const = default;
  BB_FIELDS(reason, count, agents, detail, details)
};

/// How one award was decided, or why a round of asking ended without one. It is in the log, inside its
/// TaskAwarded or AuctionFailed event; `auction` keys point there.
struct Auction {
  AuctionId id;
  TaskId task;
  std::string mechanism;  ///< "first_price", ...; for strategies without bids, the strategy's name
  WallTime opened_at;
  WallTime closed_at;
  AgentId winner;    ///< 0: no agent bid
  Micros price = 0;  ///< what the mechanism lets the winner charge, in score units
  std::uint32_t bid_count = 0;
  std::vector<RecordedBid> bids;  ///< the eight best by score
  std::vector<RecordedRefusal> refusals;
  std::string why;          ///< one sentence: why the winner and not the next best
  bool calibrated = false;  ///< calibration was on
  /// The tasks that the winner takes together, this one among them, by id; empty: it was won alone.
  std::vector<TaskId> bundle;
  bool operator==(const Auction&) const = default;
  BB_FIELDS(id, task, mechanism, opened_at, closed_at, winner, price, bid_count, bids, refusals, why,
            calibrated, bundle)
};

struct Discovery {
  DiscoveryId id;
  TaskId task;
  AgentId agent;
  Epoch epoch;
  std::string kind;  ///< "late_result", or the poster's own word
  std::string title;
  std::string body;
  std::string project;
  WallTime created_at;
  /// Which of its task's late results it is, from 1; 0: none, or kept by an older version, which has no index
  /// of them.
  std::uint32_t late = 0;
  bool operator==(const Discovery&) const = default;
  BB_FIELDS(id, task, agent, epoch, kind, title, body, project, created_at, late)
};

/// What a person or an agent noted on a task, for whoever looks at it or gets it next.
struct Comment {
  CommentId id;
  TaskId task;
  AgentId agent;  ///< its author; 0: an operator
  WallTime at;
  std::string text;
  bool operator==(const Comment&) const = default;
  BB_FIELDS(id, task, agent, at, text)
};
/// A comment as the agent is told of it that gets the task.
struct SignedComment {
  std::string author;  ///< the agent's name, or "operator"
  WallTime at;
  std::string text;
  bool operator==(const SignedComment&) const = default;
  BB_FIELDS(author, at, text)
};

/// Tasks posted together by `run`, and how many of them have not ended.
struct Workflow {
  WorkflowId id;
  std::string name;
  std::string source;  ///< the file it came from
  std::string project;
  std::uint32_t tasks = 0;
  std::uint32_t open = 0;
  WallTime posted_at;
  WallTime finished_at;
  std::uint32_t planned = 0;  ///< tasks of its file, which may be posted in several requests; 0: not told
  bool operator==(const Workflow&) const = default;
  BB_FIELDS(id, name, source, project, tasks, open, posted_at, finished_at, planned)
};

struct StoredReply {
  std::uint64_t request = 0;  ///< the client's sequence number
  std::string bytes;          ///< the encoded reply
  bool operator==(const StoredReply&) const = default;
  BB_FIELDS(request, bytes)
};

/// A requester whose repeated requests get their first answer again.
struct Client {
  ClientId id;
  std::uint64_t last_request = 0;
  WallTime seen_at;
  std::vector<StoredReply> replies;  ///< the sixteen of the highest numbers, by number
  bool operator==(const Client&) const = default;
  BB_FIELDS(id, last_request, seen_at, replies)
};

/// How the board is run; one record. `bidboard.yaml` and `up` write it (docs/cli.md lists the keys).
struct Config {
  std::string project;                   ///< default project: the directory's name
  std::string strategy = "auction";      ///< runtime/coordination/
  std::string mechanism = "sequential";  ///< auction/mechanisms/
  bool calibrate = true;
  Micros seconds_weight = one;  ///< score = seconds × seconds_weight + price × price_weight
  Micros price_weight = one;
  Duration bid_timeout = seconds(2);
  Duration heartbeat = seconds(10);
  Duration lease = seconds(30);
  Duration backoff = seconds(1);  ///< before the second attempt; doubles with each further one
  std::uint64_t seed = 1;         ///< of the `random` strategy, and of who is invited
  std::uint32_t invite_max = 0;   ///< auctions: so many of those who may take a task are asked; 0: all
  std::vector<AccountLimits> accounts = {};  ///< by name; those without limits are not listed
  std::vector<Budget> budgets = {};          ///< by scope
  Amount estimate = {};                      ///< what an attempt of a kind costs that none is known of yet
  bool operator==(const Config&) const = default;
  BB_FIELDS(project, strategy, mechanism, calibrate, seconds_weight, price_weight, bid_timeout, heartbeat,
            lease, backoff, seed, invite_max, accounts, budgets, estimate)
};

/// The last id assigned, of each kind.
struct Counters {
  TaskId task;
  AgentId agent;
  AuctionId auction;
  DiscoveryId discovery;
  WorkflowId workflow;
  CommentId comment;
  bool operator==(const Counters&) const = default;
  BB_FIELDS(task, agent, auction, discovery, workflow, comment)
};

/// How long a task must have waited before the agent takes it (AccountLimits::after); 0: not at all.
Duration waits_for_others(const Config& config, const AgentProfile& agent);

/// nullptr: nothing of the kind holds the task.
const Hold* hold_of(const Task& task, HoldKind kind);
/// Replaces a hold of the same kind.
void place(Task& task, Hold hold);
void lift(Task& task, HoldKind kind);

std::string_view name(TaskState state);
std::string_view name(HoldKind kind);
std::string_view name(AgentState state);
std::string_view name(BidStyle style);
std::string_view name(RefusalReason reason);
/// What the agent at this place of refusal.agents said, or what was said of it.
const std::string& detail_of(const RecordedRefusal& refusal, std::size_t place);
/// done, failed, cancelled, skipped or quarantined: it does not run unless it is retried.
bool is_over(TaskState state);
/// awarded or running.
bool is_held(TaskState state);

}  // namespace bidboard
