// The controller's part of strategy `hierarchy`: the tree of managers, the manager at which each task is
// queued, and what each manager has been sent. It carries delegations down and choices up and
// enforces the rules. It decides itself only for agents without a live manager above them, and about tasks
// that managers leave unassigned. All of it is volatile: after a restart the tree is built and sent again,
// and queued tasks are ready tasks like any other.
//
// - The manager of an agent is the nearest one above it, by the names in AgentProfile::parent, that is
//   connected and answers. When it dies or misses a deadline, its members move to the next manager above,
//   and so do its queued tasks; when it sends a message again, it gets its members back.
// - A manager has one delegation at a time, which holds everything that is new to it; its deadline is
//   Config::bid_timeout. Only as many tasks are sent down as there are free slots, and each answer settles
//   all of them, so no task stays queued at a manager for longer than that.
// - A manager that returned a task is not asked about it again until its subtree, as it reports it, or the
//   tree has changed. A free agent that may have a task gets it from the controller when all managers above
//   it know everything and still leave the task unassigned: no task waits for ever.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agents/manager.hpp"
#include "runtime/coordination/walking.hpp"

namespace bidboard {

/// What the controller keeps about a manager that takes part: the tasks queued at it, and what it has been
/// told.
struct ManagerQueue {
  bool anew = true;                ///< the next delegation must be complete
  std::map<AgentId, Member> told;  ///< its members, as the manager sees them
  std::uint64_t number = 0;        ///< number of the delegation that awaits an answer; 0: none
  Instant deadline = never;        ///< for that answer
  std::vector<TaskId> asked;       ///< in that delegation
  std::vector<TaskId> waiting;     ///< for the next one
  std::vector<Crew> crews;         ///< its subtree, as it last reported it
};
/// A ready task on its way down the tree.
struct TaskRoute {
  struct Step {
    AgentId from;  ///< 0: the controller
    AgentId to;
    std::string why;
  };
  AgentId at;  ///< the manager at which it is queued; 0: none
  std::vector<Step> steps;
  std::map<AgentId, std::string>
      handed_back;  ///< by whom, and why; includes members that turned out not to be allowed to have it
};

struct Hierarchy {
  std::map<AgentId, ManagerQueue> queues;
  std::map<TaskId, TaskRoute> routes;
  std::map<AgentId, AgentId> above;  ///< of every connected agent under a manager
  std::map<AgentId, std::vector<AgentId>> below;
  std::set<AgentId> silent;  ///< missed a deadline and has sent nothing since
  std::set<AgentId> news;    ///< managers for which there may be something new
  bool changed = true;       ///< the tree must be rebuilt

  /// What the agent holds has changed.
  void touch(AgentId agent) {
    if (const auto manager = above.find(agent); manager != above.end()) news.insert(manager->second);
  }
};

/// What the functions below work on.
struct Delegating {
  Core& core;
  Hierarchy& tree;
  Roster& roster;
};

/// Call before the walk over the ready tasks: updates the tree.
void begin_delegating(Delegating& c);
/// Decides for the controller: awards a task to an agent without a manager, or queues it at the first
/// manager. Returns whether it awarded anything.
bool settle_by_delegation(Delegating& c, const Situation& situation);
/// After the walk: sends managers what is new, and the tasks to decide about.
void send_delegations(Delegating& c);
/// REQUIRES: the manager has shown its secret.
void on_choices(Delegating& c, AgentId manager, const Choices& message);
/// The agent sent a message; `reconnected`: over another connection, so the last messages to it may be lost.
/// A manager that was silent takes part again.
void heard_manager(Delegating& c, AgentId agent, bool reconnected);
/// Managers whose answers are overdue are passed over until they send something.
void pass_over_silent(Delegating& c);
/// When the next answer is due.
Instant next_choice_due(const Hierarchy& tree);

}  // namespace bidboard
