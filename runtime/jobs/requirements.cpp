#include "runtime/jobs/requirements.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>

namespace bidboard {
namespace {

const Skill* find_skill(const AgentProfile& agent, const std::string& name) {
  for (const Skill& skill : agent.skills)
    if (skill.name == name) return &skill;
  return nullptr;
}

bool has_skill(const AgentProfile& agent, const SkillNeed& need) {
  const Skill* skill = find_skill(agent, need.name);
  return skill && skill->level >= need.level;
}
bool may_run(const AgentProfile& agent, const TaskSpec& task) {
  return task.run.empty() ? !agent.only_commands : agent.allow_run || agent.simulated;
}
bool offers(const AgentProfile& agent, const std::string& secret) {
  return std::ranges::find(agent.secrets, secret) != agent.secrets.end();
}
bool takes_env(const AgentProfile& agent, const TaskSpec& task) {
  return task.env.empty() || !task.run.empty() || agent.allow_env || agent.simulated;
}
bool works_for(const AgentProfile& agent, const TaskSpec& task) {
  return agent.project.empty() || task.project.empty() || agent.project == task.project;
}
bool can_do(const AgentProfile& agent, const TaskSpec& task) {
  return may_run(agent, task) && works_for(agent, task) && takes_env(agent, task) &&
         std::ranges::all_of(task.secrets, [&](const auto& secret) { return offers(agent, secret); }) &&
         std::all_of(task.skills.begin(), task.skills.end(),
                     [&](const auto& need) { return has_skill(agent, need); });
}

std::string in_words(const SkillNeed& need) {
  return need.level > 0 ? fmt::format("{}>={}", need.name, format_micros(need.level)) : need.name;
}

class Checker {
 public:
  Checker(const Plan& plan, Diagnostics& diagnostics) : diagnostics_(diagnostics) {
    for (const PlannedAgent& agent : plan.agents) {
      if (!may(agent.profile.role, Action::take)) continue;
      agents_.push_back(&agent.profile);
      for (const Skill& skill : agent.profile.skills) skill_names_.push_back(skill.name);
    }
    std::sort(skill_names_.begin(), skill_names_.end());
    skill_names_.erase(std::unique(skill_names_.begin(), skill_names_.end()), skill_names_.end());
  }

  bool has_agents() const { return !agents_.empty(); }

  void check(const PlannedTask& task) {
    const auto somebody = [&](auto&& rule) { return std::any_of(agents_.begin(), agents_.end(), rule); };
    const TaskSpec& spec = task.spec;
    if (somebody([&](const AgentProfile* agent) { return can_do(*agent, spec); })) return;
    const std::string subject = fmt::format("task {}: ", quoted(spec.name));
    bool explained = false;
    const auto tell = [&](std::string what, std::string fix) {
      diagnostics_.add(task.place, subject + std::move(what), std::move(fix));
      explained = true;
    };
    for (const SkillNeed& need : spec.skills)
      if (!somebody([&](const AgentProfile* agent) { return has_skill(*agent, need); }))
        tell_skill(need, tell);
    if (!somebody([&](const AgentProfile* agent) { return may_run(*agent, spec); }))
      spec.run.empty() ? tell("no agent can do it: they only execute commands of tasks",
                              "give the task run: ... or an agent exec: ...")
                       : tell("no agent may execute its command", "give an agent allow_run: true");
    if (!somebody([&](const AgentProfile* agent) { return works_for(*agent, spec); }))
      tell("no agent works for the project " + quoted(spec.project),
           "change the project of the task or of an agent");
    for (const std::string& secret : spec.secrets)
      if (!somebody([&](const AgentProfile* agent) { return offers(*agent, secret); }))
        tell("no agent offers the secret " + quoted(secret), "add it to an agent's secrets");
    if (!somebody([&](const AgentProfile* agent) { return takes_env(*agent, spec); }))
      tell("no agent takes variables from tasks", "give an agent allow_env: true, or the task run: ...");
    if (explained) return;
    std::vector<std::string> all;
    for (const SkillNeed& need : spec.skills) all.push_back(in_words(need));
    if (!spec.run.empty()) all.emplace_back("allow_run");
    if (!spec.env.empty() && spec.run.empty()) all.emplace_back("allow_env");
    for (const std::string& secret : spec.secrets) all.push_back("the secret " + quoted(secret));
    if (!spec.project.empty()) all.push_back("the project " + quoted(spec.project));
    tell("no single agent has " + list_in_words(all), "give all of it to one agent");
  }

 private:
  void tell_skill(const SkillNeed& need, const auto& tell) {
    const AgentProfile* best = nullptr;
    for (const AgentProfile* agent : agents_) {
      const Skill* skill = find_skill(*agent, need.name);
      if (skill && (!best || skill->level > find_skill(*best, need.name)->level)) best = agent;
    }
    if (!best)
      return tell("no agent has the skill " + quoted(need.name),
                  diagnostics_.suggest(need.name, skill_names_, "add it to an agent's skills"));
    tell(fmt::format("no agent has the skill {} at level {}; the best is {} with {}", quoted(need.name),
                     format_micros(need.level), quoted(best->name),
                     format_micros(find_skill(*best, need.name)->level)),
         "ask for less, or raise an agent's level");
  }

  Diagnostics& diagnostics_;
  std::vector<const AgentProfile*> agents_;
  std::vector<std::string> skill_names_;
};

}  // namespace

void check_requirements(const Plan& plan, Diagnostics& diagnostics) {
  if (plan.agents.empty()) return;
  Checker checker(plan, diagnostics);
  if (!checker.has_agents())
    return diagnostics.add(plan.agents.front().place, "none of the agents takes tasks",
                           "add an agent with role: specialist");
  for (const PlannedTask& task : plan.tasks) checker.check(task);
}

}  // namespace bidboard
