// What is said between processes. The frame around it and the order of talk are in docs/protocol.md. A
// message is a hint, the board is the truth. Alternatives are numbered by their position: append, never
// remove or reorder.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "blackboard/events.hpp"
#include "blackboard/requests.hpp"

namespace bidboard {

constexpr std::uint32_t protocol_version = 1;
/// A message that lists several things is not much longer than this, unless one of them alone is: a task's
/// title, body and command have about a megabyte at most, and so has a result. Frames may have 8 MB
/// (runtime/net/wire.hpp).
constexpr std::size_t message_bytes_max = 1 << 20;

/// First message of every connection. `features` are names; unknown ones are ignored.
struct Hello {
  std::uint32_t min = protocol_version;
  std::uint32_t max = protocol_version;
  std::vector<std::string> features;
  BB_FIELDS(min, max, features)
};
struct Welcome {
  std::uint32_t version = protocol_version;
  std::vector<std::string> features;
  Term term;
  Seq seq;
  std::string board;  ///< the board's directory
  std::string feed;   ///< endpoint of the event feed
  BB_FIELDS(version, features, term, seq, board, feed)
};

// Between agents and the controller.

struct Register {
  AgentProfile profile;
  std::uint64_t incarnation = 0;
  std::string secret;  ///< of an earlier registration; empty: there was none
  BB_FIELDS(profile, incarnation, secret)
};
struct Registered {
  AgentId agent;
  std::string secret;
  Duration heartbeat;
  Duration lease;
  Term term;
  BB_FIELDS(agent, secret, heartbeat, lease, term)
};
struct RegistrationRefused {
  Errc code = Errc::refused;
  std::string text;
  BB_FIELDS(code, text)
};
struct Held {
  TaskId task;
  Epoch epoch;
  auto operator<=>(const Held&) const = default;
  BB_FIELDS(task, epoch)
};
/// Also sent after every reconnection: it attaches the connection to the registered agent.
struct Heartbeat {
  AgentId agent;
  std::string secret;
  std::vector<Held> held;
  BB_FIELDS(agent, secret, held)
};
struct HeartbeatAck {
  Term term;
  BB_FIELDS(term)
};
/// The controller does not know this agent or its secret: register anew.
struct WhoAreYou {
  BB_FIELDS()
};

/// What announcements and awards say about a task.
struct TaskOffer {
  TaskId task;
  TaskSpec spec;
  std::uint32_t attempt = 1;  ///< the coming or present attempt's number
  std::vector<AttemptFailure> failures;
  BB_FIELDS(task, spec, attempt, failures)
};
/// Come and bid; or, under `pull`, come and claim.
struct Announcement {
  std::vector<TaskOffer> offers;
  bool pull = false;
  BB_FIELDS(offers, pull)
};
struct Bid {
  TaskId task;
  bool refused = false;
  Micros seconds = 0;
  Micros price = 0;
  Micros confidence = one;
  std::string reason;  ///< of a refusal
  /// Not empty: a further bid, beside the one for the task alone, for it and these together, all or none;
  /// seconds and price are for all of them.
  std::vector<TaskId> with;
  BB_FIELDS(task, refused, seconds, price, confidence, reason, with)
};
struct Bids {
  AgentId agent;
  std::string secret;
  std::vector<Bid> bids;
  BB_FIELDS(agent, secret, bids)
};
struct Take {
  AgentId agent;
  std::string secret;
  std::vector<TaskId> tasks;  ///< wanted, best first; answered by an award or nothing
  BB_FIELDS(agent, secret, tasks)
};
/// The result of a task that this one needed, or a part of it (NeedsPage).
struct NeedResult {
  TaskId task;
  std::string name;
  TaskState state = TaskState::done;
  std::string result;
  BB_FIELDS(task, name, state, result)
};
struct AwardItem {
  TaskOffer offer;
  Epoch epoch;
  std::string capability;
  WallTime deadline;
  std::vector<NeedResult> needs;
  bool needs_apart = false;             ///< they are too long for an award: `needs` is empty, see FetchNeeds
  std::vector<SignedComment> comments;  ///< the latest, oldest first (comment_bytes_in_award)
  Micros budget_left = 0;               ///< what the attempt may cost; 0: no bound
  std::vector<NeedWork> works;          ///< of its needs that are done, by task
  BB_FIELDS(offer, epoch, capability, deadline, needs, needs_apart, comments, budget_left, works)
};
struct Awards {
  std::vector<AwardItem> awards;
  BB_FIELDS(awards)
};
/// One thing that happened to an awarded task, reported by its agent.
struct ReportItem {
  enum class What : std::uint8_t {
    started = 0,
    progress = 1,
    stalled = 2,
    finished = 3,
    failed = 4,
    unknown = 5,
    declined = 6,
    unavailable = 7,  ///< the agent could not work: `outage`
    settled = 8       ///< a process has ended after its award (result accepted, or cut off): price, tokens
  };
  What what = What::started;
  TaskId task;
  Epoch epoch;
  std::string capability;
  Micros fraction = 0;  ///< progress; negative: as it was
  std::string text;     ///< progress: words; finished: the result; failed, unknown, declined: the reason
  Micros price = 0;
  std::int64_t tokens = 0;
  Micros seconds = 0;  ///< measured by the agent: begin to end of the work
  Outage outage = Outage::none;
  WallTime until;  ///< unavailable: until when, as the provider says; 0: it does not say
  SavedWork work;  ///< finished, settled
  BB_FIELDS(what, task, epoch, capability, fraction, text, price, tokens, seconds, outage, until, work)
};
struct Reports {
  AgentId agent;
  std::string secret;
  std::uint64_t number = 0;  ///< answered by ReportsKept once durable; unanswered reports are sent again
  std::vector<ReportItem> items;
  BB_FIELDS(agent, secret, number, items)
};
struct ReportsKept {
  std::uint64_t number = 0;
  BB_FIELDS(number)
};
/// Stop working on these: the lease is lost, the task cancelled, or the award never was yours.
struct Revocation {
  Held held;
  std::string reason;
  Duration grace{};  ///< its result was accepted already: it may end by itself within this time
  BB_FIELDS(held, reason, grace)
};
struct Revocations {
  std::vector<Revocation> items;
  BB_FIELDS(items)
};
struct Leave {
  AgentId agent;
  std::string secret;
  std::string reason;
  BB_FIELDS(agent, secret, reason)
};

// Between managers and the controller (agents/manager.hpp).

/// Specialists of one sort, as their manager is told of them and tells of them: one, or several in sum.
struct Crew {
  std::vector<Skill> skills;    ///< in sum: the best level of each
  std::string project;          ///< they work for this one only; empty: for all
  bool runs = false;            ///< they execute a task's own `run` command
  Micros speed = one;           ///< of the fastest
  Micros price_per_second = 0;  ///< of the cheapest
  std::uint32_t slots = 0;
  std::uint32_t free = 0;            ///< of them
  bool only_commands = false;        ///< they do only tasks with a `run` command
  WorkflowId workflow;               ///< they work for this one only; 0: for all
  std::vector<std::string> secrets;  ///< each of them offers these, by name
  bool takes_env = false;            ///< tasks without a `run` command may set variables too
  bool operator==(const Crew&) const = default;
  BB_FIELDS(skills, project, runs, speed, price_per_second, slots, free, only_commands, workflow, secrets,
            takes_env)
};
/// Who stands directly under a manager: a specialist, which is a crew of its own, or a manager with what it
/// last said of its subtree.
struct Member {
  AgentId agent;
  std::string name;
  bool leads = false;
  std::vector<Crew> crews;
  bool operator==(const Member&) const = default;
  BB_FIELDS(agent, name, leads, crews)
};
/// A task queued at a manager.
struct DelegatedTask {
  TaskOffer offer;
  std::vector<AgentId> not_for;  ///< members that handed it back, or are passed over
  BB_FIELDS(offer, not_for)
};
/// To a manager: what changed under it, and tasks to be given to its members, most urgent first. Answered by
/// Choices; until then there is no further one.
struct Delegation {
  std::uint64_t number = 0;  ///< rises, also from one controller to the next
  bool anew = false;         ///< earlier messages are void: these are all its members
  std::vector<Member> members;
  std::vector<AgentId> left;
  std::vector<DelegatedTask> tasks;
  BB_FIELDS(number, anew, members, left, tasks)
};
struct ChosenMember {
  TaskId task;
  AgentId member;  ///< 0: handed back
  std::string why;
  BB_FIELDS(task, member, why)
};
/// From a manager: what it decided about the tasks of that delegation, and its subtree in sum as it is then.
struct Choices {
  AgentId agent;
  std::string secret;
  std::uint64_t number = 0;
  std::vector<Crew> crews;
  std::vector<ChosenMember> chosen;
  BB_FIELDS(agent, secret, number, crews, chosen)
};
/// Bytes that were no message: answered, counted, never fatal.
struct Malformed {
  std::string what;
  BB_FIELDS(what)
};

// Between agents that agree among themselves, and with the controller about that (strategy `peer`).

/// A peer, as the controller names it to another one. The proofs hold for this pair and their present
/// processes.
struct PeerEntry {
  AgentId agent;
  std::string name;
  std::string endpoint;
  std::string we_show;   ///< with what we say to it
  std::string it_shows;  ///< with what it says to us
  BB_FIELDS(agent, name, endpoint, we_show, it_shows)
};
/// The peers to talk to. Answered by Listening; the first one may be empty.
struct Peers {
  std::uint64_t number = 0;  ///< later ones are larger
  Micros now = 0;            ///< the controller's monotonic clock: what promises between peers are given in
  std::vector<PeerEntry> peers;
  BB_FIELDS(number, now, peers)
};
struct Listening {
  AgentId agent;
  std::string secret;
  std::uint64_t number = 0;  ///< of the last Peers heard
  std::string endpoint;      ///< empty: it cannot be reached by peers
  BB_FIELDS(agent, secret, number, endpoint)
};
struct PeerOffer {
  TaskOffer offer;
  Epoch round;       ///< the epoch that an award would have
  Micros level = 0;  ///< its bottom level: what is more urgent among equal priorities
  BB_FIELDS(offer, round, level)
};
/// Agree about who takes these; and forget those.
struct PeerOffers {
  std::vector<PeerOffer> offers;
  std::vector<Held> over;       ///< awarded: no agent can have it up to this epoch
  std::vector<TaskId> refused;  ///< not to be had by you, or not now
  BB_FIELDS(offers, over, refused)
};
/// Whom a peer believes to win a task (agents/peer_table.hpp).
struct PeerBid {
  TaskId task;
  Epoch round;
  AgentId winner;     ///< 0: no agent
  Micros finish = 0;  ///< when the winner promises to be done, by the controller's clock
  Micros until = 0;   ///< when the claim lapses unless the winner begins or renews it
  bool over = false;  ///< this round is over, and the rest means nothing
  BB_FIELDS(task, round, winner, finish, until, over)
};
/// How fresh a peer's knowledge of another one is: the number of that one's message.
struct PeerStamp {
  AgentId agent;
  std::uint64_t number = 0;
  BB_FIELDS(agent, number)
};
/// Between agents: what changed since what the other one has confirmed.
struct PeerBids {
  AgentId from;
  AgentId to;
  std::string proof;
  std::uint64_t number = 0;  ///< grows with what the sender says; 0: it only confirms
  std::uint64_t heard = 0;   ///< the last number it heard from the other one
  std::vector<PeerBid> bids;
  std::vector<PeerStamp> stamps;
  BB_FIELDS(from, to, proof, number, heard, bids, stamps)
};

// Results that are too long to come with an award are fetched before the work begins, a page at a time.

/// From the holder of an award: the results of what its task needed, from this place on.
struct FetchNeeds {
  AgentId agent;
  std::string secret;
  Held held;
  std::uint32_t from = 0;    ///< position among the needs, by task id
  std::uint64_t offset = 0;  ///< bytes of that one's result that are here already
  BB_FIELDS(agent, secret, held, from, offset)
};
/// Answers FetchNeeds, which it repeats. The first result goes on where the last page ended, the last one may
/// be cut short.
struct NeedsPage {
  Held held;
  std::uint32_t from = 0;
  std::uint64_t offset = 0;
  std::vector<NeedResult> needs;
  bool complete = false;   ///< nothing comes after it
  std::uint32_t next = 0;  ///< otherwise: where to go on
  std::uint64_t next_offset = 0;
  BB_FIELDS(held, from, offset, needs, complete, next, next_offset)
};

using Message = std::variant<Hello, Welcome, Request, Reply, Register, Registered, RegistrationRefused,
                             Heartbeat, HeartbeatAck, WhoAreYou, Announcement, Bids, Take, Awards, Reports,
                             ReportsKept, Revocations, Leave, Malformed, Delegation, Choices, Peers,
                             Listening, PeerOffers, PeerBids, FetchNeeds, NeedsPage>;

/// What travels in one ZeroMQ frame.
struct Frame {
  std::uint32_t version = protocol_version;
  Message message;
  BB_FIELDS(version, message)
};
/// What travels on the feed: sealed events, the first one numbered `first`. None: a heartbeat, first - 1 is
/// the last number.
struct FeedFrame {
  Seq first;
  std::vector<std::string> events;
  BB_FIELDS(first, events)
};

/// "award", "bids", ...: for logs.
std::string_view kind(const Message& message);

}  // namespace bidboard
