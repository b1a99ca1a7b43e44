// The common part of all strategies: which agents are connected and free, a walk over the ready tasks, and a
// memory of the agents that found nothing in it, so that a change does not make every agent examine
// everything again. A strategy handles one piece of the walk at a time. Pure, for one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/coordination/roster.hpp"
#include "runtime/coordination/situation.hpp"
#include "runtime/core/coordinator.hpp"

namespace bidboard {

class Walk;

class WalkingCoordinator : public Coordinator {
 public:
  virtual Outlook outlook() const { return {}; }

  void settle(Core& core) final;
  void on_change(Core& core, const Change& change) override;
  void agent_heard(Core& core, AgentId agent, bool reconnected) override;
  void task_opened(Core& core, TaskId task) override;
  void tick(Core& core) override;
  Instant next_wakeup(const Core&) const override { return settle_again_; }
  void forget(Core& core) override;

 protected:
  virtual void begin_settle(Core&) {}
  /// Called before each walk over the ready tasks; there may be several walks in one settle.
  virtual void begin_walk() {}
  virtual void end_settle(Core&) {}
  /// Handles one piece of the walk: awards, or asks. Returns whether it awarded anything. REQUIRES for
  /// implementations: the walk continues from the state that they leave.
  virtual bool settle_piece(Core& core, const Situation& situation) = 0;

  // What a strategy may add to the walk.
  /// Whether the task belongs to a live bundle and is awarded when its turn comes.
  virtual bool keeps_bundle(AuctionId) const { return false; }
  /// With sampling: the agents that were asked for the task already and are asked again.
  virtual std::vector<AgentId> asked_already(Core&, TaskId) { return {}; }
  /// Adds to the times at which the agent's slots become free; `task` occupies the slot now.
  virtual Micros seconds_behind(TaskId task) const { return static_cast<void>(task), 0; }
  virtual void add_reserved(AgentId, std::vector<Micros>&) const {}

  /// When each of the agent's slots is expected to be free: ClearingAgent::slot_free_in.
  std::vector<Micros> slots_free_in(const Core& core, const AgentView& view) const;
  void settle_at(Instant when) { settle_again_ = std::min(settle_again_, when); }
  /// A task is held back for an agent that is busy for this much longer: it is decided again then, if nothing
  /// happens before.
  void review_in(const Core& core, Micros wait);

  Roster roster_;

 private:
  friend class Walk;
  void note_who_finds_work(Core& core, const Change& change);

  /// Agents with a free slot for which the last walk over all ready tasks found nothing, and the tasks that
  /// became awardable since: no further walk is made for these agents until one of those tasks is for them.
  std::set<AgentId> without_work_;
  std::vector<TaskId> new_tasks_;
  /// With sampling: free agents that lost to others, and until when they are not considered; by id.
  std::vector<std::pair<AgentId, Instant>> resting_;
  bool held_some_ = false;        ///< in the present walk, in place of an award
  Instant settle_again_ = never;  ///< a decision must be checked again
};

/// The agent whose holdings or registration the event changes; 0: none.
AgentId affected(const Change& change);
/// Whether the agent failed the task before and another connected agent that did not may have it. REQUIRES: a
/// fresh roster.
bool is_passed_over(const Core& core, const Roster& roster, const Task& task, AgentId agent);

}  // namespace bidboard
