#include "agents/manager.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

AgentProfile profile_of(const Crew& crew) {
  AgentProfile profile;
  profile.skills = crew.skills;
  profile.project = crew.project;
  profile.allow_run = crew.runs;
  profile.only_commands = crew.only_commands;
  profile.workflow = crew.workflow;
  profile.secrets = crew.secrets;
  profile.allow_env = crew.takes_env;
  profile.speed = crew.speed;
  profile.price_per_second = crew.price_per_second;
  return profile;
}

/// The crew's rate at the task; nothing if it may not take it.
std::optional<Micros> rate_at(const Crew& crew, const TaskSpec& task) {
  const AgentProfile profile = profile_of(crew);
  if (unable(task, profile)) return {};
  if (task.budget > 0 && over_budget(task, standard_bid(task, profile))) return {};
  return mul_micros(profile.speed, skill_level(task, profile));
}

/// What crews must have in common to be added up.
using Names = std::set<std::string>;
using Sort = std::tuple<Names, std::string, bool, bool, WorkflowId, Names, bool>;
Sort sort_of(const Crew& crew) {
  Sort sort{{},
            crew.project,
            crew.runs,
            crew.only_commands,
            crew.workflow,
            {crew.secrets.begin(), crew.secrets.end()},
            crew.takes_env};
  for (const Skill& skill : crew.skills) std::get<0>(sort).insert(skill.name);
  return sort;
}

/// REQUIRES: both are of the same sort.
void add(Crew& sum, const Crew& crew) {
  std::map<std::string_view, Micros*> levels;
  for (Skill& skill : sum.skills) levels.try_emplace(skill.name, &skill.level);
  for (const Skill& skill : crew.skills) {
    Micros& level = *levels.at(skill.name);
    level = std::max(level, skill.level);
  }
  sum.speed = std::max(sum.speed, crew.speed);
  sum.price_per_second = std::min(sum.price_per_second, crew.price_per_second);
  sum.slots += crew.slots;
  sum.free += crew.free;
}

}  // namespace

std::weak_ordering Fitness::operator<=>(const Fitness& other) const {
  // taken / slots, compared without division
  if (const auto load = taken * other.slots <=> other.taken * slots; load != 0) return load;
  if (const auto slower = other.rate <=> rate; slower != 0) return slower;
  return agent <=> other.agent;
}

std::string in_words(const Fitness& fitness) {
  return fmt::format("least loaded of those who can: {} of {}{} taken", fitness.taken, fitness.slots,
                     (fitness.slots == 1 ? " slot" : " slots"));
}

std::optional<Fitness> fitness(const Member& member, const TaskSpec& task) {
  Fitness sum{0, 0, 0, member.agent};
  bool has_room = false;
  for (const Crew& crew : member.crews) {
    const std::optional<Micros> rate = rate_at(crew, task);
    if (!rate) continue;
    has_room = has_room || crew.free > 0;
    sum.slots += crew.slots;
    sum.taken += crew.slots - std::min(crew.free, crew.slots);
    sum.rate = std::max(sum.rate, *rate);
  }
  if (!has_room) return {};
  return sum;
}

bool could_take(const Member& member, const TaskSpec& task) {
  return std::ranges::any_of(member.crews, [&](const Crew& crew) { return rate_at(crew, task).has_value(); });
}

void take_slot(Member& member, const TaskSpec& task) {
  const auto crew = std::ranges::find_if(
      member.crews, [&](const Crew& c) { return c.free > 0 && rate_at(c, task).has_value(); });
  if (crew != member.crews.end()) crew->free -= 1;
}

Member member_of(const Agent& agent, std::uint32_t holding) {
  const AgentProfile& profile = agent.profile;
  Crew crew;
  crew.skills = profile.skills;
  crew.project = profile.project;
  crew.runs = profile.allow_run || profile.simulated;
  crew.only_commands = profile.only_commands;
  crew.workflow = profile.workflow;
  crew.secrets = profile.secrets;
  crew.takes_env = profile.allow_env || profile.simulated;
  crew.speed = profile.speed;
  crew.price_per_second = profile.price_per_second;
  crew.slots = profile.capacity;
  crew.free = profile.capacity - std::min(holding, profile.capacity);
  return {agent.id, profile.name, false, {std::move(crew)}};
}

std::vector<Crew> in_sum(const std::map<AgentId, Member>& members) {
  std::map<Sort, Crew> sums;
  for (const auto& [agent, member] : members)
    for (const Crew& crew : member.crews) {
      const auto [sum, fresh] = sums.try_emplace(sort_of(crew), crew);
      if (!fresh) add(sum->second, crew);
    }
  std::vector<Crew> crews;
  for (auto& [sort, crew] : sums) crews.push_back(std::move(crew));
  return crews;
}

std::optional<Choices> Manager::on_delegation(const Delegation& delegation) {
  if (delegation.number <= last_) return {};
  last_ = delegation.number;
  if (delegation.anew) members_.clear();
  for (const AgentId gone : delegation.left) members_.erase(gone);
  for (const Member& member : delegation.members) members_.insert_or_assign(member.agent, member);
  Choices choices;
  choices.number = delegation.number;
  for (const DelegatedTask& task : delegation.tasks) choices.chosen.push_back(choose(task));
  choices.crews = in_sum(members_);
  return choices;
}

ChosenMember Manager::choose(const DelegatedTask& task) {
  const TaskSpec& spec = task.offer.spec;
  std::optional<Fitness> best;
  bool somebody_could = false;
  for (const auto& [agent, member] : members_) {
    if (std::ranges::find(task.not_for, agent) != task.not_for.end()) continue;
    const std::optional<Fitness> candidate = fitness(member, spec);
    if (candidate && (!best || *candidate < *best)) best = candidate;
    somebody_could = somebody_could || candidate || could_take(member, spec);
  }
  if (!best)
    return {task.offer.task,
            {},
            somebody_could ? "all who can take it are busy" : "nobody in its subtree can take it"};
  take_slot(members_.at(best->agent), spec);
  return {task.offer.task, best->agent, in_words(*best)};
}

}  // namespace bidboard
