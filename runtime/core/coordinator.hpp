// Who gets a ready task: the interface of a coordination strategy. The implementations stand in
// runtime/coordination/, one a file; drivers hand them in (ControllerOptions::coordinators), and the core
// knows none of them. A coordinator owns whatever it remembers. All of it is volatile: a coordinator can
// begin at any time from what stands on the board.
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
  withdrawn,  ///< cancelled, paused, held or blocked; or somebody changed who may have it, and it is news
};

class Coordinator {
 public:
  virtual ~Coordinator() = default;

  virtual std::string_view name() const = 0;
  /// Ready tasks of equal priority stand in the order of their bottom level (else as they were posted).
  virtual bool orders_by_bottom_level() const { return true; }
  /// Agents name their prices when they are asked, so a budget is compared with the bid and not before.
  virtual bool asks_for_prices() const { return false; }

  /// Awards what can be awarded (award.hpp), asks whom it must ask. Called after a batch of inputs when
  /// Core::wake() was called since the last time.
  virtual void settle(Core& core) = 0;
  /// What an agent says that concerns coordination: Heartbeat, Bids, Take, Choices, Listening. It has shown
  /// its secret. What a strategy has no use for it ignores.
  virtual void on_message(Core&, AgentId, const Message&) {}
  /// Any message of the agent, before it is dealt with. `reconnected`: over another connection than the last
  /// one, so what it was told there may be lost.
  virtual void agent_heard(Core&, AgentId, bool reconnected) { static_cast<void>(reconnected); }
  /// It left: what it said and what it was told no longer counts.
  virtual void agent_gone(Core&, AgentId) {}
  virtual void task_closed(Core&, TaskId, Closed) {}
  /// Every event, once it is applied: for what is derived from the board.
  virtual void on_change(Core&, const Change&) {}
  /// Acts on its deadlines.
  virtual void tick(Core&) {}
  /// When tick() has something to do next.
  virtual Instant next_wakeup(const Core&) const { return never; }
  /// A batch could not be committed, or the configuration changed: whatever rests on what was decided since,
  /// or was asked under other rules, is void.
  virtual void forget(Core& core) = 0;
};

/// The coordinator that the configuration names. Errors: invalid, with the known names.
using CoordinatorFactory = Result<std::unique_ptr<Coordinator>> (*)(const Config&);

}  // namespace bidboard
