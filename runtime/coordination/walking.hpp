// What all strategies share: who is connected and free, a walk over the ready tasks, and a memory of who
// found nothing in it, so that no change makes everybody look at everything again. A strategy deals with one
// piece of the walk at a time. Pure, for one thread.
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
  void tick(Core& core) override;
  Instant next_wakeup(const Core&) const override { return settle_again_; }
  void forget(Core& core) override;

 protected:
  virtual void begin_settle(Core&) {}
  /// Before the ready tasks are walked over, which may happen several times in one settle.
  virtual void begin_walk() {}
  virtual void end_settle(Core&) {}
  /// One piece of the walk: awards, or asks. REQUIRES for implementations: the walk goes on from what they
  /// leave behind. Answers whether it awarded anything.
  virtual bool settle_piece(Core& core, const Situation& situation) = 0;

  // What a strategy may add to the walk.
  /// A task with others of this bundle, which comes when its turn comes.
  virtual bool keeps_bundle(AuctionId) const { return false; }
  /// Those that were asked for the task already and are asked again, when only some are.
  virtual std::vector<AgentId> asked_already(Core&, TaskId) { return {}; }
  /// Adds to the times at which the agent's slots become free; `task` is under way in the slot.
  virtual Micros seconds_behind(TaskId task) const { return static_cast<void>(task), 0; }
  virtual void add_reserved(AgentId, std::vector<Micros>&) const {}

  /// When each of the agent's slots is expected to be free: ClearingAgent::slot_free_in.
  std::vector<Micros> slots_free_in(const Core& core, const AgentView& view) const;
  void settle_at(Instant when) { settle_again_ = std::min(settle_again_, when); }
  /// A task is held back for an agent that is busy for so long yet: to be decided again then, should nothing
  /// happen before.
  void review_in(const Core& core, Micros wait);

  Roster roster_;

 private:
  friend class Walk;
  void note_who_finds_work(Core& core, const Change& change);

  /// Agents with a free slot for which the last walk over all ready tasks found nothing, and what may be
  /// awarded since and could not before: no further walk for their sake until one of those is for them.
  std::set<AgentId> without_work_;
  std::vector<TaskId> new_tasks_;
  /// Free agents that others were preferred to, where only some are asked, and until when; by id.
  std::vector<std::pair<AgentId, Instant>> resting_;
  Instant settle_again_ = never;  ///< a decision should be looked at again
};

/// The agent whose holdings or registration the event changes; 0: none.
AgentId affected(const Change& change);
/// Whether the agent failed the task before and another connected agent that did not may have it. REQUIRES:
/// a fresh roster.
bool is_passed_over(const Core& core, const Roster& roster, const Task& task, AgentId agent);

}  // namespace bidboard
