// A manager's part in strategy `hierarchy`. It knows its members by their own reports: specialists by their
// registration and load, managers by sums over their subtrees. It gives each task that is delegated to it to
// the least loaded member that can take it, or returns the task. It decides about a whole delegation at once
// and keeps no task, so a manager that dies loses nothing. The controller decides by the same rule for agents
// without a manager (runtime/coordination/delegation.hpp). Pure; for one thread.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard {

/// How well a member suits a task; the smallest goes first. The share of its slots that are taken, then how
/// slowly it works, then its id.
struct Fitness {
  std::uint64_t taken = 0;
  std::uint64_t slots = 1;
  Micros rate = one;  ///< speed × level of its skills for the task
  AgentId agent;
  std::weak_ordering operator<=>(const Fitness& other) const;
  bool operator==(const Fitness& other) const { return (*this <=> other) == 0; }
};
/// In words, for `explain`.
std::string in_words(const Fitness& fitness);

/// Nothing if no crew that may take the task has a free slot.
std::optional<Fitness> fitness(const Member& member, const TaskSpec& task);
/// Whether one of its crews may take the task at all: skills, project, commands, price.
bool could_take(const Member& member, const TaskSpec& task);
/// A task was given to the member: one slot fewer is free in the first crew that has one and may take it. The
/// controller counts the same way, and so knows the manager's view without a message.
void take_slot(Member& member, const TaskSpec& task);
/// A specialist as its manager sees it.
Member member_of(const Agent& agent, std::uint32_t holding);
/// All crews of these members; those with the same skills, project and permission to run commands are added
/// up.
std::vector<Crew> in_sum(const std::map<AgentId, Member>& members);

class Manager {
 public:
  /// The answer, without its sender. Nothing for a delegation that is not newer than the last one: it is a
  /// duplicate or was overtaken.
  std::optional<Choices> on_delegation(const Delegation& delegation);

 private:
  ChosenMember choose(const DelegatedTask& task);

  std::map<AgentId, Member> members_;
  std::uint64_t last_ = 0;  ///< number of the last delegation
};

}  // namespace bidboard
