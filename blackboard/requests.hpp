// What clients ask of a controller, and what it answers: a part of the messages (messages.hpp). Alternatives
// are numbered by their position: append, never remove or reorder.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "blackboard/events.hpp"

namespace bidboard {

/// A need between two tasks of the same request.
struct BatchNeed {
  std::uint32_t task = 0;   ///< position in `tasks`, from 0
  std::uint32_t needs = 0;  ///< position in `tasks`, from 0
  bool any = false;
  BB_FIELDS(task, needs, any)
};
/// Posts all tasks or none.
struct Post {
  std::vector<TaskSpec> tasks;  ///< may be empty if `workflow` is not: later requests join it
  std::vector<BatchNeed> batch_needs;
  std::string workflow;  ///< when not empty: they form a workflow of this name
  std::string source;
  WorkflowId joins;           ///< a workflow of an earlier request that these tasks belong to as well
  std::uint32_t planned = 0;  ///< as in Workflow
  BB_FIELDS(tasks, batch_needs, workflow, source, joins, planned)
};
struct Claim {
  TaskId task;                ///< 0: the next one that the claimer may take
  std::vector<Skill> skills;  ///< when not empty: what the claimer can do from now on
  BB_FIELDS(task, skills)
};
struct Renew {
  TaskId task;
  Epoch epoch;  ///< 0: the live one
  BB_FIELDS(task, epoch)
};
struct Finish {
  TaskId task;
  Epoch epoch;  ///< 0: the live one
  bool success = true;
  std::string result;  ///< or, without success, the reason
  Micros price = 0;
  std::int64_t tokens = 0;
  Outage outage = Outage::none;  ///< without success: the agent could not work, and the task is not at fault
  WallTime until = {};           ///< how long, as the provider says; 0: it does not say
  SavedWork work = {};           ///< with success, from inside a worktree
  BB_FIELDS(task, epoch, success, result, price, tokens, outage, until, work)
};
struct Progress {
  TaskId task;
  Epoch epoch;  ///< 0: the live one
  Micros fraction = 0;
  std::string text;
  BB_FIELDS(task, epoch, fraction, text)
};
enum class Direction : std::uint8_t { cancel = 0, retry = 1, pause = 2, resume = 3 };
struct Direct {
  Direction what = Direction::cancel;
  TaskId task;
  std::string reason;
  BB_FIELDS(what, task, reason)
};
struct Reassign {
  TaskId task;
  std::string agent;  ///< name; empty: anyone
  BB_FIELDS(task, agent)
};
struct Depend {
  TaskId task;
  Need need;
  bool remove = false;
  BB_FIELDS(task, need, remove)
};
struct Configure {
  Config config;
  BB_FIELDS(config)
};
struct ReadLog {
  Seq from;  ///< first event wanted
  std::uint32_t limit = 1000;
  BB_FIELDS(from, limit)
};
struct AskStatus {
  BB_FIELDS()
};
struct Shutdown {
  BB_FIELDS()
};
/// To a serving controller: make the present the beginning of the log. Answered when that is done.
struct Compact {
  BB_FIELDS()
};
/// A resting agent or account is tried again now.
struct Probe {
  std::string name;  ///< an account's, or an agent's
  BB_FIELDS(name)
};
/// More may be spent.
struct RaiseBudget {
  std::string scope;  ///< of a Budget, or "task:t5"
  Amount by;          ///< none is negative, one is above 0
  BB_FIELDS(scope, by)
};
/// Changes a posted task, all of it or nothing. Answered with what changed.
struct Edit {
  TaskId task;
  TaskEdit change;                         ///< `labels`: instead of the present ones
  std::vector<std::string> add_labels;     ///< to the present ones
  std::vector<std::string> remove_labels;  ///< from the present ones
  BB_FIELDS(task, change, add_labels, remove_labels)
};
struct AddComment {
  TaskId task;
  std::string text;
  BB_FIELDS(task, text)
};
using RequestBody = std::variant<Post, Claim, Renew, Finish, Progress, Direct, Reassign, Depend, Configure,
                                 ReadLog, AskStatus, Shutdown, Compact, Edit, AddComment, Probe, RaiseBudget>;

/// A client numbers its requests from 1; a repeated number is answered with the first reply again. client 0:
/// not kept.
struct Request {
  ClientId client;
  std::uint64_t number = 0;
  std::string as;     ///< act as the agent of this name; empty: as operator
  std::string token;  ///< BIDBOARD_TOKEN: act only as that agent on that task
  RequestBody body;
  BB_FIELDS(client, number, as, token, body)
};

// Replies.

struct Posted {
  std::vector<TaskId> ids;    ///< in the order of the request
  std::vector<bool> existed;  ///< it stood already, under the same key
  WorkflowId workflow;
  BB_FIELDS(ids, existed, workflow)
};
struct Claimed {
  TaskId task;
  Epoch epoch;
  AgentId agent;
  std::string capability;
  WallTime deadline;
  BB_FIELDS(task, epoch, agent, capability, deadline)
};
struct Changed {
  TaskId task;
  TaskState state = TaskState::ready;
  Epoch epoch;
  BB_FIELDS(task, state, epoch)
};
struct AgentStatus {
  AgentId agent;
  std::uint32_t running = 0;
  Duration silent_for;
  BB_FIELDS(agent, running, silent_for)
};
struct Status {
  std::int64_t pid = 0;
  Term term;
  Seq seq;
  Duration up_for;
  std::string strategy;
  std::string mechanism;
  std::vector<AgentStatus> agents;  ///< those connected
  std::uint64_t inputs = 0;
  std::uint64_t malformed = 0;
  BB_FIELDS(pid, term, seq, up_for, strategy, mechanism, agents, inputs, malformed)
};
struct LogPage {
  Seq first;
  std::vector<std::string> events;  ///< sealed
  BB_FIELDS(first, events)
};
struct Nothing {
  BB_FIELDS()
};
struct CompactionDone {
  Seq base;                   ///< the log begins behind this event
  std::uint64_t removed = 0;  ///< events
  std::uint64_t kept = 0;     ///< events up to the base that stay: auctions
  BB_FIELDS(base, removed, kept)
};
/// A field before and after an edit, for people.
struct FieldChange {
  std::string field;
  std::string before;
  std::string after;
  BB_FIELDS(field, before, after)
};
struct Edited {
  TaskId task;
  TaskState state = TaskState::ready;
  std::vector<FieldChange> changes;  ///< empty: it was so already
  BB_FIELDS(task, state, changes)
};
struct Commented {
  CommentId comment;
  BB_FIELDS(comment)
};
using ReplyBody =
    std::variant<Nothing, Posted, Claimed, Changed, Status, LogPage, CompactionDone, Edited, Commented>;

struct Reply {
  std::uint64_t number = 0;  ///< of the request
  Errc code = Errc::ok;
  std::string text;  ///< of the error
  ReplyBody body;
  BB_FIELDS(number, code, text, body)
};

}  // namespace bidboard
