#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

namespace bidboard {
namespace {

/// The best level that an agent declares for each of its skills. Long lists are sorted for that: an agent and
/// a task with as many skills each take n log n.
class DeclaredLevels {
 public:
  DeclaredLevels(const AgentProfile& agent, const TaskSpec& task) : agent_(agent) {
    if (agent.skills.size() * task.skills.size() <= scanned_max) return;
    for (const Skill& skill : agent.skills) sorted_.emplace_back(skill.name, skill.level);
    std::ranges::sort(sorted_);
  }

  /// Nothing when the agent lacks it.
  std::optional<Micros> of(const std::string& skill) const {
    if (!sorted_.empty()) {
      const auto end = std::ranges::upper_bound(sorted_, std::string_view(skill), {}, &Level::first);
      if (end == sorted_.begin() || std::prev(end)->first != skill) return {};
      return std::prev(end)->second;
    }
    std::optional<Micros> best;
    for (const Skill& s : agent_.skills)
      if (s.name == skill) best = std::max(best.value_or(s.level), s.level);
    return best;
  }

 private:
  using Level = std::pair<std::string_view, Micros>;
  static constexpr std::size_t scanned_max = 256;  ///< comparisons
  const AgentProfile& agent_;
  std::vector<Level> sorted_;
};

/// The text is stored with each auction.
constexpr std::size_t listed_bytes_max = 400;

std::string list_skills(const AgentProfile& agent) {
  if (agent.skills.empty()) return "no skills";
  std::string text;
  for (std::size_t i = 0; i < agent.skills.size(); ++i) {
    if (text.size() > listed_bytes_max) return text + fmt::format(" and {} more", agent.skills.size() - i);
    if (i > 0) text += i + 1 == agent.skills.size() ? " and " : ", ";
    text += agent.skills[i].name;
  }
  return text;
}

std::optional<Refusal> lacks_skill(const TaskSpec& task, const AgentProfile& agent) {
  if (task.skills.empty()) return {};
  const DeclaredLevels levels(agent, task);
  for (const SkillNeed& need : task.skills) {
    const std::optional<Micros> level = levels.of(need.name);
    if (!level)
      return Refusal{RefusalReason::skill, fmt::format("needs {}, has {}", need.name, list_skills(agent))};
    if (*level < need.level)
      return Refusal{RefusalReason::skill,
                     fmt::format("needs {}>={}, has {} {}", need.name, format_micros(need.level), need.name,
                                 format_micros(*level))};
  }
  return {};
}

std::optional<Refusal> serves_another(const TaskSpec& task, WorkflowId served) {
  if (served && served != task.workflow)
    return Refusal{RefusalReason::workflow, fmt::format("works for {} only", served)};
  if (task.exclusive && served != task.workflow)
    return Refusal{RefusalReason::workflow,
                   fmt::format("the task is left to the agents of {}", task.workflow)};
  return {};
}

/// Of secrets an agent has its owner's only. Variables that a task sets reach its own command, which its
/// poster chose anyway; another command would be steered by whoever may post, so its owner must allow it.
std::optional<Refusal> lacks_environment(const TaskSpec& task, const AgentProfile& profile) {
  if (task.secrets.empty() && task.env.empty()) return {};  // nearly always
  for (const std::string& secret : task.secrets)
    if (std::ranges::find(profile.secrets, secret) == profile.secrets.end())
      return Refusal{RefusalReason::environment, fmt::format("offers no secret {} (see --secret)", secret)};
  if (!task.env.empty() && task.run.empty() && !profile.allow_env && !profile.simulated)
    return Refusal{RefusalReason::environment, "takes no variables from tasks (see --allow-env)"};
  return {};
}

std::optional<Refusal> cannot_do(const TaskSpec& task, const AgentProfile& profile) {
  if (!may(profile.role, Action::take))
    return Refusal{RefusalReason::role, fmt::format("is {}, which takes no tasks", profile.role)};
  if (!profile.project.empty() && profile.project != task.project)
    return Refusal{RefusalReason::project, fmt::format("works for project {}, the task belongs to {}",
                                                       profile.project, task.project)};
  if (auto refusal = lacks_skill(task, profile)) return refusal;
  if (!task.run.empty() && !profile.allow_run && !profile.simulated)
    return Refusal{RefusalReason::run, "does not run commands of tasks (see --allow-run)"};
  if (task.run.empty() && profile.only_commands)
    return Refusal{RefusalReason::run, "only does tasks that have a command of their own (--run)"};
  return {};
}

}  // namespace

std::optional<Refusal> unable(const TaskSpec& task, const AgentProfile& profile) {
  if (auto refusal = serves_another(task, profile.workflow)) return refusal;
  if (auto refusal = cannot_do(task, profile)) return refusal;
  return lacks_environment(task, profile);
}

std::optional<Refusal> ineligible(const Task& task, const Agent& agent) {
  const bool is_person =
      agent.state == AgentState::shell;  // takes from every workflow, with means of its own
  if (!is_person)
    if (auto refusal = serves_another(task.spec, agent.profile.workflow)) return refusal;
  if (auto refusal = cannot_do(task.spec, agent.profile)) return refusal;
  if (!is_person)
    if (auto refusal = lacks_environment(task.spec, agent.profile)) return refusal;
  if (task.reserved_for && task.reserved_for != agent.id)
    return Refusal{RefusalReason::reserved, fmt::format("the task is reserved for {}", task.reserved_for)};
  return {};
}

std::optional<Refusal> over_budget(const TaskSpec& task, const BidVector& bid) {
  if (task.budget <= 0 || bid.price <= task.budget) return {};
  return Refusal{RefusalReason::budget, fmt::format("asks {}, the budget is {}", format_micros(bid.price),
                                                    format_micros(task.budget))};
}

std::optional<Refusal> against_own_bid(const TaskSpec& task, std::uint32_t attempts_made,
                                       const AgentProfile& agent) {
  const Result<BidVector> bid = own_bid(task, attempts_made, agent);
  return bid ? over_budget(task, *bid) : Refusal{RefusalReason::invalid, bid.error().text};
}

Micros skill_level(const TaskSpec& task, const AgentProfile& agent) {
  if (task.skills.empty()) return one;
  const DeclaredLevels levels(agent, task);
  std::optional<Micros> lowest;
  for (const SkillNeed& need : task.skills) {
    const Micros level = levels.of(need.name).value_or(one);
    lowest = std::min(lowest.value_or(level), level);
  }
  return lowest.value_or(one);
}

}  // namespace bidboard
