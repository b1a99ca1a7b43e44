// Strategies in which the controller itself chooses the agent for each task. Pure.
#pragma once

#include <string>
#include <vector>

#include "runtime/coordination/walking.hpp"

namespace bidboard {

struct Choice {
  std::size_t task = 0;   ///< position in Situation::tasks
  std::size_t agent = 0;  ///< position in Situation::agents
  std::string why;        ///< one sentence, for `explain`
  /// 0: award it now. Else the agent is busy for this many more microseconds and the task is held back for
  /// it: the decision is made again at the next event.
  Micros start_in = 0;
};

class PushCoordinator : public WalkingCoordinator {
 protected:
  /// At most one choice per task, and no more choices with start_in 0 per agent than it has free slots.
  virtual std::vector<Choice> choose(const Situation& situation) = 0;

 private:
  bool settle_piece(Core& core, const Situation& situation) final;
};

}  // namespace bidboard
