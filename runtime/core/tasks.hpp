// The life of a task until it ends, and what operators may do to it. The coordinator decides who gets it.
// Pure.
#pragma once

#include <string>
#include <string_view>

#include "runtime/core/core.hpp"

namespace bidboard {

/// How a live attempt ended without an accepted result.
struct AttemptEnd {
  std::string reason;
  bool died = false;             ///< the agent died or lost its lease
  bool agent_gone = false;       ///< nobody will tell what it has cost
  bool outcome_unknown = false;  ///< the work may have been done already
  bool counts = true;            ///< it uses up one of the task's attempts
  bool declined = false;         ///< the agent did not begin; it is not asked again at once
  Micros seconds = 0;            ///< how long it took, by the agent's clock; 0: not told
  Micros price = 0;              ///< delivered all the same
  std::int64_t tokens = 0;
  Outage outage = Outage::none;  ///< the agent could not work: it rests (breakers.hpp)
  WallTime until = {};           ///< how long, as the provider says; 0: it does not say
};
/// Ends the live attempt and decides the task's next state. REQUIRES: the task is held.
void end_attempt(Core& core, TaskId task, const AttemptEnd& end);
/// What the holder delivered.
struct Delivered {
  std::string_view result;
  Micros price = 0;
  std::int64_t tokens = 0;
  Micros seconds = 0;   ///< how long it took, by the agent's clock; 0: not told
  SavedWork work = {};  ///< what it left in its worktree, if it had one
};
/// Accepts the result.
void finish_task(Core& core, const Task& task, AgentId agent, const Delivered& delivered);
/// What an agent says of a commit is believed as far as it can be one: git decides about it where it is used.
void save_work(Core& core, const Task& task, Epoch epoch, const SavedWork& work);

/// The questions that were asked no longer count: every offered task is ready again.
void withdraw_offers(Core& core);

/// Cancel, retry, pause, resume. Errors: not_found, conflict.
Result<Changed> direct_task(Core& core, const Direct& request);
/// Errors: not_found, conflict, refused (the agent may not take it).
Result<Changed> reassign_task(Core& core, const Reassign& request);

/// A need that prevents this task from being done: it is over, did not succeed, and has to. nullptr: none.
const Task* failed_need(const Board& board, const Task& task);
/// Whether one of its needs is not over yet.
bool has_open_needs(const Board& board, const Task& task);

}  // namespace bidboard
