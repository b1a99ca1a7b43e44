// A manager's part in strategy `hierarchy`: it knows its members by what they say of themselves, specialists
// by their registration and their load, managers by what they say of their subtrees in sum, and gives each
// task that is put on its desk to the least loaded member that can take it, or hands it back. It decides
// about everything it is asked at once and keeps nothing lying: a manager that dies loses nothing. The
// controller decides by the same rule for agents without a manager (runtime/coordination/delegation.hpp).
// Pure; for one thread.
#pragma once

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "blackboard/messages.hpp"

namespace bidboard {

/// How fit a member is for a task: the lesser goes first. The share of its slots that are taken, then how
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

/// Nothing when no crew that may take the task has a free slot.
std::optional<Fitness> fitness(const Member& member, const TaskSpec& task);
/// Whether one of its crews may take the task at all: skills, project, commands, price.
bool could_take(const Member& member, const TaskSpec& task);
/// A task was given to the member: one slot less is free in the first crew that has one and may take it. The
/// controller counts the same way, and so knows what a manager believes without being told.
void take_slot(Member& member, const TaskSpec& task);
/// A specialist as its manager is told of it.
Member member_of(const Agent& agent, std::uint32_t holding);
/// All crews of these members, those of the same skills, project and way to work taken together.
std::vector<Crew> in_sum(const std::map<AgentId, Member>& members);

class Manager {
 public:
  /// The answer, but for who gives it. Nothing to a delegation that is no newer than the last one: a copy, or
  /// one that was overtaken.
  std::optional<Choices> on_delegation(const Delegation& delegation);

 private:
  ChosenMember choose(const DelegatedTask& task);

  std::map<AgentId, Member> members_;
  std::uint64_t last_ = 0;  ///< number of the last delegation
};

}  // namespace bidboard
