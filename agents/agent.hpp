// An agent's side of the protocol as a state machine: what it holds, what it has to say, and what to do next.
// Pure; the process around it (runtime/fleet/agent_process.hpp) owns the connection and the executor.
#pragma once

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
/// Say it on the connection. Lost messages are repaired by the next heartbeat or the repetition of reports.
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
/// Say it to that peer. Lost words are repaired by later ones.
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
  /// The connection was made or made again: register, or say that we are still here.
  Actions on_connected(Instant now);
  Actions on_message(const Message& message, Now now);
  Actions on_execution(const ExecutionEvent& event, Now now);
  /// The executor would not start it.
  Actions on_start_failed(TaskId task, Epoch epoch, const Error& error, Now now);
  /// Where peers reach this process; empty: nowhere.
  Actions on_listening(const std::string& endpoint);
  /// A peer's word. What follows from it comes from on_time().
  void on_peer(const PeerBids& words, Instant now);
  /// Heartbeats, repeated reports, stalls, and what peers are to be told.
  Actions on_time(Now now);
  Instant next_wakeup() const;

  /// Stop taking work and say goodbye; running tasks are to be stopped by the caller.
  Actions leave(const std::string& reason);

  bool registered() const { return id_.value != 0; }
  AgentId id() const { return id_; }
  std::size_t holding() const { return held_.size(); }

 private:
  struct Work {
    Epoch epoch;
    std::string capability;
    Duration stall_after;
    Instant last_sign;
    bool stall_told = false;
    bool revoked = false;  ///< being stopped; its end is of no interest
    /// Of a task that may not be repeated: begun only once the controller has it in writing that it is
    /// begun, so that after a crash nobody takes it for untouched.
    std::optional<Assignment> waits = std::nullopt;
    /// Begun only once the results of its needs are here, which come page by page (agent_needs.cpp).
    std::optional<AwardItem> fetches = std::nullopt;
    bool needs_cut = false;  ///< of the last of fetches->needs, the rest is still to come
  };
  void say_register(Instant now, Actions& out);
  void report(ReportItem item) { unsent_.push_back(std::move(item)); }
  void flush_reports(Instant now, Actions& out);
  void on_awards(const Awards& awards, Now now, Actions& out);
  /// REQUIRES: the task is held and its needs are all here.
  void begin(const AwardItem& award, Now now, Actions& out);
  void fetch_needs(const Work& work, Actions& out) const;
  void on_needs(const NeedsPage& page, Now now, Actions& out);
  void on_peers(const Peers& peers, Instant now, Actions& out);
  void on_peer_offers(const PeerOffers& offers, Actions& out);
  void talk_to_peers(Instant now, Actions& out);
  void no_longer_held(TaskId task);
  BidQuestion question_of(const TaskOffer& offer);
  void on_announcement(const Announcement& announcement, Actions& out);
  void on_delegation(const Delegation& delegation, Actions& out);
  void on_revocations(const Revocations& revocations, Actions& out);
  void on_kept(const ReportsKept& kept, Instant now, Actions& out);
  void stop(TaskId task, const std::string& reason, Actions& out);
  ReportItem item_for(TaskId task, const Work& work, ReportItem::What what) const;
  Heartbeat heartbeat() const;
  /// Held, or reported without the controller's word that the report is durable.
  bool is_unconfirmed(Held held) const;

  Options options_;
  Manager manager_;  ///< of use only to a role that leads
  AgentId id_;
  std::string secret_;
  Instant register_again_ = never;  ///< an answer to the registration is awaited until then
  Duration heartbeat_every_ = seconds(10);
  Instant next_heartbeat_ = never;
  std::map<TaskId, Work> held_;
  /// The last epoch begun here, of the latest tasks: a late copy of an award begins nothing again.
  std::map<TaskId, Epoch> begun_;
  std::vector<ReportItem> unsent_;
  std::map<std::uint64_t, Reports> unkept_;  ///< sent, not yet confirmed durable
  std::uint64_t last_report_ = 0;
  Instant repeat_reports_ = never;
  std::map<std::uint64_t, TaskId> questions_;
  std::map<std::uint64_t, PeerTask> peer_questions_;  ///< what the executor was asked for the peers' sake
  std::uint64_t last_question_ = 0;
  std::optional<PeerMachine> peers_;  ///< under strategy `peer`
  std::uint64_t peers_number_ = 0;    ///< of the last Peers
  bool peers_wait_ = false;           ///< something came in for them to act on
};

}  // namespace bidboard
