#include "runtime/coordination/push.hpp"

#include "runtime/core/award.hpp"

namespace bidboard {

bool PushCoordinator::settle_piece(Core& core, const Situation& situation) {
  bool awarded = false;
  for (const Choice& choice : choose(situation)) {
    if (choice.start_in > 0) {
      review_in(core, choice.start_in);
      continue;
    }
    // An award before this one may have used up what the agents of an account may do.
    if (!has_free_slot(core, *situation.agents[choice.agent].agent)) continue;
    const Task& task = *situation.tasks[choice.task].task;
    award(core, task, *situation.agents[choice.agent].agent, plain_decision(core, task.id, choice.why));
    awarded = true;
  }
  return awarded;
}

}  // namespace bidboard
