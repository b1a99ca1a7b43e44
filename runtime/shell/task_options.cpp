#include "runtime/shell/task_options.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/text/document.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

Result<std::vector<Need>> read_needs(const std::vector<std::string>& texts) {
  std::vector<Need> needs;
  for (const std::string& text : texts) {
    const std::size_t colon = text.find(':');
    const Result<TaskId> id = read_task_id(text.substr(0, colon));
    if (!id) return fail(id.error());
    if (colon != std::string::npos && text.substr(colon) != ":any")
      return fail(
          Errc::invalid,
          fmt::format("'{}' is not a dependency; write t12, or t12:any if it may end in any state", text));
    needs.push_back({*id, colon != std::string::npos});
  }
  return needs;
}

Result<std::vector<SkillNeed>> read_skill_needs(const std::vector<std::string>& texts) {
  std::vector<SkillNeed> skills;
  for (const std::string& text : texts) {
    const Result<NamedLevel> skill = read_skill(text, text.find(">=") == std::string::npos ? "=" : ">=");
    if (!skill) return fail(skill.error());
    skills.push_back({skill->name, skill->level.value_or(0)});
  }
  return skills;
}

Result<void> check_state(const std::string& state) {
  std::vector<std::string> states;
  for (auto at = static_cast<int>(TaskState::blocked); at <= static_cast<int>(TaskState::quarantined); ++at)
    states.emplace_back(name(static_cast<TaskState>(at)));
  if (state.empty() || std::find(states.begin(), states.end(), state) != states.end()) return {};
  std::string text = fmt::format("'{}' is not a task state; ", state);
  const std::string near = nearest(state, states);
  if (!near.empty()) return fail(Errc::invalid, fmt::format("{}did you mean '{}'?", text, near));
  for (std::size_t i = 0; i < states.size(); ++i) text += (i == 0 ? "the states are " : ", ") + states[i];
  return fail(Errc::invalid, text);
}

}  // namespace bidboard
