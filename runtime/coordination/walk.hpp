// The walk over the ready tasks, most urgent first, that finds work for the agents with a free slot: which
// agents may have which task. It goes in pieces, so that no decision covers more than a few hundred tasks,
// however many are ready and however many agents are free. Pure, for one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "blackboard/random.hpp"
#include "runtime/coordination/walking.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {

class Walk {
 public:
  Walk(Core& core, WalkingCoordinator& owner);

  /// The next tasks that can be handled, and the agents as they are now; no tasks: the walk is over.
  /// Decisions about the last piece must be carried out before this call.
  Situation next();
  /// Call once the walk is over.
  void finish();
  /// No ready task that a free agent may take was left out.
  bool complete() const { return complete_; }

 private:
  /// An agent that is considered.
  struct Candidate {
    std::size_t room = 0;  ///< this many more tasks are considered for it
    bool seeks = false;    ///< it has a free slot, and there may be a task for it
    bool found = false;    ///< there was one
  };

  void begin();
  void offer_new_tasks();
  std::vector<AgentId> take_fit(const Task& task, std::vector<AgentId>& group) const;
  void line_up(Situation& situation);
  std::size_t place_of(Situation& situation, AgentId agent);
  bool take(Situation& situation, const Task& task);
  TaskView view_of_all(const Situation& situation, const Task& task) const;
  TaskView sample(Situation& situation, const Task& task);
  void draw_seeking(const Task& task, bool only_fresh, Random& random, std::set<AgentId>& chosen) const;
  void draw_any(const Task& task, bool only_fresh, Random& random, std::set<AgentId>& chosen) const;
  std::size_t window() const;
  bool share_out(const std::vector<std::size_t>& eligible, const Situation& situation);
  bool give_to_one(const std::vector<std::size_t>& eligible, const Situation& situation);
  bool reserved_for_nobody(const Task& task) const;
  AgentView view_of_agent(AgentId agent) const;
  bool is_fit(const Task& task, AgentId agent, bool only_fresh) const;
  bool somebody_fresh_may(const Task& task) const;
  void end();

  Core& core_;
  WalkingCoordinator& owner_;
  const Outlook outlook_;
  bool begun_ = false;
  bool over_ = false;
  bool complete_ = true;
  bool sampled_ = false;    ///< for each task only some agents are asked (Config::invite_max)
  bool only_free_ = false;  ///< the strategy ignores agents without a free slot
  std::string from_;        ///< where in the ready index the walk continues
  std::map<AgentId, Candidate> candidates_;
  std::vector<AgentId> seeking_;          ///< those that seek work and have room left, by id
  std::vector<Candidate*> places_;        ///< by position in the current situation
  std::map<AgentId, std::size_t> place_;  ///< sampled: the positions of the agents
};

}  // namespace bidboard
