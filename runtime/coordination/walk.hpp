// The walk over the ready tasks, most urgent first, that looks for work for the agents with a free slot: who
// may have which task. In pieces, so that no decision is over more than a few hundred tasks, however many are
// ready and however many agents are free. Pure, for one thread.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/core/core.hpp"

namespace bidboard {

/// Whether the agent failed the task before and somebody who did not may have it. REQUIRES: a fresh roster.
bool is_passed_over(const Core& core, const Task& task, AgentId agent);

class Walk {
 public:
  explicit Walk(Core& core) : core_(core) {}

  /// The next tasks that can be dealt with, and the agents as they are now; no tasks: it is over. What the
  /// last piece led to must be done by then.
  Situation next();
  /// To be called once it is over.
  void finish();
  /// No ready task that somebody free may take was left out.
  bool complete() const { return complete_; }

 private:
  /// An agent that is looked at.
  struct Looker {
    std::size_t room = 0;  ///< so many more tasks are looked at for its sake
    bool looks = false;    ///< it has a free slot, and there may be something for it
    bool fed = false;      ///< there was something
  };

  void begin();
  void feed_the_barren();
  void line_up(Situation& situation);
  std::size_t place_of(Situation& situation, AgentId agent);
  bool take(Situation& situation, const Task& task);
  TaskView view_of_all(const Situation& situation, const Task& task) const;
  TaskView sample(Situation& situation, const Task& task);
  void draw_hungry(const Task& task, bool only_fresh, Random& random, std::set<AgentId>& chosen) const;
  void draw_any(const Task& task, bool only_fresh, Random& random, std::set<AgentId>& chosen) const;
  std::size_t window() const;
  bool feed_all(const std::vector<std::size_t>& eligible, const Situation& situation);
  bool feed(const std::vector<std::size_t>& eligible, const Situation& situation);
  bool is_fit(const Task& task, AgentId agent, bool only_fresh) const;
  bool somebody_fresh_may(const Task& task) const;
  void end();

  Core& core_;
  bool begun_ = false;
  bool over_ = false;
  bool complete_ = true;
  bool sampled_ = false;    ///< for each task only some agents are asked (Config::invite_max)
  bool only_free_ = false;  ///< the strategy has no use for agents without a free slot
  bool ahead_ = false;      ///< agents without a free slot look for work as well: they plan ahead
  std::string from_;        ///< where in the ready index the walk goes on
  std::map<AgentId, Looker> lookers_;
  std::vector<AgentId> hungry_;           ///< those that look and have room left, by id
  std::vector<Looker*> places_;           ///< by position in the present situation
  std::map<AgentId, std::size_t> place_;  ///< sampled: the positions of the agents
};

}  // namespace bidboard
