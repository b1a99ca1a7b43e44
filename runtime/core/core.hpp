// The controller's state: the board, and what the controller keeps beside it. The latter is lost in a crash
// and rebuilt from the board and from what agents send; it is never the only copy of a promise. Each part has
// one owner; the functions that decide are in the headers beside this one, by topic.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "auction/bid.hpp"
#include "blackboard/board/board.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/task_states.hpp"
#include "runtime/core/breakers.hpp"
#include "runtime/core/budgets.hpp"
#include "runtime/core/clock_jumps.hpp"
#include "runtime/core/controller.hpp"
#include "runtime/core/coordinator.hpp"
#include "runtime/core/leases.hpp"
#include "runtime/core/reactions.hpp"
#include "runtime/core/turns.hpp"

namespace bidboard {

/// A registered agent that is believed to be alive.
struct Session {
  PeerId peer;  ///< 0 after a restart, until its next heartbeat
  Instant last_heard;
  bool has_secret = false;  ///< it has shown its secret, so it need not register again
  KnownSecret secret;

  bool connected() const { return peer.value != 0; }
};

/// What the winner of an award promised, for calibration and for estimating when it will be free.
struct Promise {
  BidVector bid;                 ///< as bid
  Micros corrected_seconds = 0;  ///< after calibration
  Instant awarded_at;
};

/// An attempt whose award is over while its process may still run (winding_up.hpp).
struct WindingUp {
  bool delivered = false;  ///< its result was accepted: it takes a slot of its agent until it ends
  bool may_cost = false;   ///< it ran when its award ended
};

/// What the controller has been sent.
struct Traffic {
  std::uint64_t inputs = 0;
  std::uint64_t malformed = 0;
  std::size_t log_bytes = 0;  ///< bytes of the log that the requests of the current batch have read
};

struct Core {
  Board& board;
  const ControllerOptions options;
  const Secrets secrets;
  std::unique_ptr<Coordinator> coordinator;
  std::map<AgentId, Session> sessions;
  Leases leases;
  ClockJumps clocks;
  Accounts accounts;
  Budgets budgets;
  Turns turns;
  std::map<TaskId, Promise> promises;  ///< for live awards that were decided by bids
  std::map<AgentId, std::map<Held, WindingUp>> winding_up;
  Traffic traffic;
  std::set<PeerId> lost_peers;  ///< that named another board: nothing of them is done
  Instant started_at;

  // Of the current call.
  Now now;
  Origin origin;  ///< of the current message
  Output out;

  Core(Board& b, ControllerOptions o);

  /// Applies the event, then runs the reactions to it (reactions.hpp).
  void emit(EventBody body);
  void send(PeerId to, Message message);
  /// Sends to the agent's connection, if it has one.
  void send(AgentId to, Message message);
  void send_award(PeerId to, AwardItem award);
  void note(Note::Level level, std::string text);

  /// Something changed that awards may depend on: Coordinator::settle() is due after this batch.
  void wake() { settle_due_ = true; }
  bool settle_due() const { return settle_due_; }
  /// Calls Coordinator::settle().
  void settle();
  /// The coordinator that the board's configuration names, without the state that it must forget
  /// (Coordinator::forget).
  void reset_coordinator();
  /// A number above all that this or an earlier controller issued, for messages that agents must be able to
  /// order.
  std::uint64_t next_number();

  /// Begins a call: clears the output of the last one.
  void begin(Now at);
  /// Ends the call and returns what must be sent, each agent's awards in one message.
  Output finish();

 private:
  void react();

  std::map<PeerId, Awards> awards_;  ///< of the current call
  std::vector<Change> unreacted_;    ///< applied, reactions still to run; the last one is next
  bool reacting_ = false;
  bool settle_due_ = true;
  std::uint64_t numbers_drawn_ = 0;
};

}  // namespace bidboard
