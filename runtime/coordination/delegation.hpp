// The controller's part of strategy `hierarchy`: who stands under whom, what lies on whose desk, and what
// each manager has been told. It carries delegations down and choices up and enforces the rules; it decides
// itself only for agents that no living manager stands above, and what managers leave lying. All of it is
// volatile: after a restart the tree is drawn and told anew, and tasks on desks are ready tasks like others.
//
// - The manager of an agent is the nearest one above it, by the names in AgentProfile::parent, that is
//   connected and answers. When one dies or lets a deadline pass, its members have the next one above, and
//   what lay on its desk goes there too; when it is heard again, they are its own again.
// - A manager has one delegation at a time, which says everything that is new; its deadline is
//   Config::bid_timeout. Only as many tasks go down as there are free slots, and each answer settles all of
//   them, so nothing waits on a desk for longer than that.
// - Whoever handed a task back is not asked about it again before its subtree, as it tells of it, or the tree
//   has changed. A free agent that may have a task gets it from the controller when all managers above it
//   know everything and still leave it lying: no task waits for ever.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "agents/manager.hpp"
#include "runtime/coordination/walking.hpp"

namespace bidboard {

/// What the controller keeps about a manager that takes part.
struct Desk {
  bool anew = true;                ///< the next delegation tells everything
  std::map<AgentId, Member> told;  ///< its members, as it believes them to be
  std::uint64_t number = 0;        ///< of the delegation that awaits an answer; 0: none
  Instant deadline = never;        ///< for that answer
  std::vector<TaskId> asked;       ///< in that delegation
  std::vector<TaskId> waiting;     ///< for the next one
  std::vector<Crew> crews;         ///< its subtree, as it last told of it
};
/// A ready task on its way down the tree.
struct Errand {
  struct Step {
    AgentId from;  ///< 0: the controller
    AgentId to;
    std::string why;
  };
  AgentId at;  ///< on whose desk it is; 0: nobody's
  std::vector<Step> way;
  std::map<AgentId, std::string> handed_back;  ///< by whom, and why; also who may not have it after all
};

struct Hierarchy {
  std::map<AgentId, Desk> desks;
  std::map<TaskId, Errand> errands;
  std::map<AgentId, AgentId> above;  ///< of every connected agent under a manager
  std::map<AgentId, std::vector<AgentId>> below;
  std::set<AgentId> silent;  ///< let a deadline pass, not heard since
  std::set<AgentId> news;    ///< managers for which there may be something new
  bool changed = true;       ///< the tree is to be drawn anew

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

/// Before the ready tasks are walked over: the tree as it is now.
void begin_delegating(Delegating& c);
/// What the controller decides: a task for an agent without a manager, or which desk it goes to first.
/// Whether it awarded anything.
bool settle_by_delegation(Delegating& c, const Situation& situation);
/// After the walk: tells managers what is new, and what to decide.
void send_delegations(Delegating& c);
/// REQUIRES: the manager has shown its secret.
void on_choices(Delegating& c, AgentId manager, const Choices& message);
/// The agent spoke; `reconnected`: over another connection, so what it was told last may be lost. A manager
/// that was silent takes part again.
void heard_manager(Delegating& c, AgentId agent, bool reconnected);
/// Managers whose answers are overdue are passed over until they are heard again.
void pass_over_silent(Delegating& c);
/// When the next answer is due.
Instant next_choice_due(const Hierarchy& tree);

}  // namespace bidboard
