// Who gets a ready task: the interface of a coordination strategy. The implementations are in
// runtime/coordination/, one per file; drivers pass them in (ControllerOptions::coordinators), and the core
// does not know any of them. A coordinator owns everything that it remembers. All of that is volatile: a
// coordinator can start at any time from the state on the board.
#pragma once

#include <memory>
#include <string_view>

#include "runtime/core/io.hpp"

namespace bidboard {

struct Change;
struct Core;

/// Why a task is no longer up for award.
enum class Closed : std::uint8_t {
  awarded,
  withdrawn,  ///< cancelled, paused, held or blocked; or who may take it was changed, so it is offered anew
};

class Coordinator {
 public:
  virtual ~Coordinator() = default;

  virtual std::string_view name() const = 0;
  /// Ready tasks of equal priority are ordered by bottom level (else as they were posted).
  virtual bool orders_by_bottom_level() const { return true; }
  /// Agents name their prices when they are asked, so the budget is compared with the bid, not earlier.
  virtual bool asks_for_prices() const { return false; }

  /// Awards what can be awarded (award.hpp) and asks the agents that it needs to ask. Called after a batch of
  /// inputs if Core::wake() was called since the last time.
  virtual void settle(Core& core) = 0;
  /// A coordination message from an agent: Heartbeat, Bids, Take, Choices or Listening. The agent has shown
  /// its secret. A strategy ignores the messages that it does not use.
  virtual void on_message(Core&, AgentId, const Message&) {}
  /// Any message from the agent, before it is handled. `reconnected`: it came over a different connection
  /// than the last one, so messages sent over the old one may be lost.
  virtual void agent_heard(Core&, AgentId, bool reconnected) { static_cast<void>(reconnected); }
  /// The agent left: what it said and what it was sent no longer counts.
  virtual void agent_gone(Core&, AgentId) {}
  virtual void task_closed(Core&, TaskId, Closed) {}
  /// Agents that could not have the task may have it now, though nothing happened to it.
  virtual void task_opened(Core&, TaskId) {}
  /// Every event, once it is applied: for state that is derived from the board.
  virtual void on_change(Core&, const Change&) {}
  /// Acts on its deadlines.
  virtual void tick(Core&) {}
  /// When tick() next has something to do.
  virtual Instant next_wakeup(const Core&) const { return never; }
  /// A batch could not be committed, or the configuration changed: everything that rests on decisions made
  /// since, or on questions asked under other rules, is void.
  virtual void forget(Core& core) = 0;
};

/// The coordinator that the configuration names. Errors: invalid, with the known names.
using CoordinatorFactory = Result<std::unique_ptr<Coordinator>> (*)(const Config&);

}  // namespace bidboard
