// An agent's side of the protocol as a state machine: what it holds, what it must send, and what to do next.
// Pure; the process around it (runtime/fleet/agent_process.hpp) owns the connection and the executor.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "agents/executor.hpp"
#include "agents/manager.hpp"
#include "agents/peer.hpp"
#include "blackboard/messages.hpp"

namespace bidboard {

struct StartTask {
  Assignment assignment;
};
struct StopTask {
  TaskId task;
  Epoch epoch;
  std::string reason;
};
struct AskBid {
  BidQuestion question;
};
/// Send it on the connection. Lost messages are repaired by the next heartbeat or by repeated reports.
struct Say {
  Message message;
};
/// The agent cannot go on: its registration was refused.
struct GiveUp {
  Error why;
};
struct AgentNote {
  std::string text;
};
/// These are the peers to talk to from now on. Answered by on_listening().
struct MeetPeers {
  std::vector<PeerEntry> peers;
};
/// Send it to that peer. Lost messages are repaired by later ones.
struct TellPeer {
  PeerBids words;
};
using AgentAction = std::variant<StartTask, StopTask, AskBid, Say, GiveUp, AgentNote, MeetPeers, TellPeer>;

class AgentMachine {
 public:
  struct Options {
    AgentProfile profile;
    std::uint64_t incarnation = 0;
    bool asks_executor = false;     ///< live bids come from the executor; else a standard bid is sent
    std::size_t bids_at_once = 64;  ///< further announced tasks are declined
  };
  explicit AgentMachine(Options options);

  using Actions = std::vector<AgentAction>;
  /// The connection was made or restored: register, or report what we hold.
  Actions on_connected(Instant now);
  Actions on_message(const Message& message, Now now);
  Actions on_execution(const ExecutionEvent& event, Now now);
  /// The executor refused to start it.
  Actions on_start_failed(TaskId task, Epoch epoch, const Error& error, Now now);
  /// Where peers reach this process; empty: nowhere.
  Actions on_listening(const std::string& endpoint);
  /// A message from a peer. on_time() returns the actions that follow from it.
  void on_peer(const PeerBids& words, Instant now);
  /// Heartbeats, repeated reports, stalls, and messages to peers.
  Actions on_time(Now now);
  Instant next_wakeup() const;

  /// Stop taking work and sign off; the caller must stop running tasks.
  Actions leave(const std::string& reason);

  /// And the controller has not asked since who this is.
  bool registered() const { return id_.value != 0 && !doubted_; }
  AgentId id() const { return id_; }
  std::size_t holding() const { return held_.size(); }

 private:
  struct Work {
    Epoch epoch;
    std::string capability;
    Duration stall_after;
    Instant last_sign = never;  ///< of life; never: its execution has not begun
    bool stall_told = false;
    /// When its silence is to be reported; never: it has been, or is not watched.
    Instant stalls_at() const {
      const bool watched = stall_after.us != 0 && !stall_told && last_sign != never;
      return watched ? last_sign + stall_after : never;
    }
    bool revoked = false;      ///< being stopped; how it ends does not matter
    bool settles = false;      ///< its result was accepted while it runs; what it costs is still to be told
    Instant stops_at = never;  ///< settles: it has to be stopped then
    /// For a task that is not repeatable: begun only once the controller has confirmed that the start is
    /// durable, so that after a crash the task is not mistaken for untouched.
    std::optional<Assignment> waits = std::nullopt;
    /// Begun only once the results of its needs have arrived, page by page (agent_needs.cpp).
    std::optional<AwardItem> fetches = std::nullopt;
    bool needs_cut = false;  ///< the rest of the last one of fetches->needs is still to come
    bool begun() const { return !waits && !fetches; }
  };
  void say_register(Instant now, Actions& out);
  void on_doubt(Instant now, Actions& out);
  std::vector<TaskId> held_tasks() const;
  void report(ReportItem item) { unsent_.push_back(std::move(item)); }
  void flush_reports(Instant now, Actions& out);
  void on_awards(const Awards& awards, Now now, Actions& out);
  /// REQUIRES: the task is held and the results of its needs are all here.
  void begin(const AwardItem& award, Actions& out);
  void remember(Held award, bool begun);
  void fetch_needs(const Work& work, Actions& out) const;
  void on_needs(const NeedsPage& page, Actions& out);
  void on_peers(const Peers& peers, Instant now, Actions& out);
  void on_peer_offers(const PeerOffers& offers, Actions& out);
  void talk_to_peers(Instant now, Actions& out);
  void no_longer_held(TaskId task);
  BidQuestion question_of(const TaskOffer& offer);
  void on_announcement(const Announcement& announcement, Actions& out);
  void on_delegation(const Delegation& delegation, Actions& out);
  void on_revocations(const Revocations& revocations, Instant now, Actions& out);
  void on_kept(const ReportsKept& kept, Actions& out);
  void stop(TaskId task, const std::string& reason, Actions& out);
  ReportItem item_for(TaskId task, const Work& work, ReportItem::What what) const;
  Heartbeat heartbeat() const;
  /// Held, or reported without confirmation from the controller that the report is durable.
  bool is_unconfirmed(Held held) const;

  Options options_;
  Manager manager_;  ///< used only by roles that lead
  AgentId id_;
  std::string secret_;
  bool doubted_ = false;
  unsigned doubts_ = 0;  ///< since a heartbeat was last acknowledged
  Instant registered_at_;
  Instant register_again_ = never;  ///< an answer to the registration is awaited until then
  Duration heartbeat_every_ = seconds(10);
  Instant next_heartbeat_ = never;
  std::map<TaskId, Work> held_;
  struct Past {
    Epoch epoch;
    bool begun = false;  ///< otherwise given back, or revoked before that
  };
  /// The last award of each of the latest tasks: a late copy of it does not begin the task.
  std::map<TaskId, Past> past_;
  std::deque<Held> past_order_;
  std::vector<ReportItem> unsent_;
  std::map<std::uint64_t, Reports> unkept_;  ///< sent, not yet confirmed durable
  std::uint64_t last_report_ = 0;
  Instant repeat_reports_ = never;
  std::map<std::uint64_t, TaskId> questions_;
  std::map<std::uint64_t, PeerTask> peer_questions_;  ///< questions to the executor on behalf of the peers
  std::uint64_t last_question_ = 0;
  std::optional<PeerMachine> peers_;  ///< under strategy `peer`
  std::uint64_t peers_number_ = 0;    ///< number of the last Peers
  bool peers_wait_ = false;           ///< there is input that they must act on
};

}  // namespace bidboard
