#include "blackboard/task_limits.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "blackboard/environment.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/numbers.hpp"

namespace bidboard {
namespace {

std::string flaw_of_environment(const TaskSpec& spec) {
  if (spec.env.size() > max_env) return fmt::format("it sets more than {} variables", max_env);
  std::set<std::string_view> names;
  std::size_t bytes = 0;
  for (const EnvVariable& variable : spec.env) {
    if (std::string flaw = flaw_of_task_variable(variable.name); !flaw.empty()) return flaw;
    if (variable.value.find('\0') != std::string::npos)
      return fmt::format("the value of its variable {} has a zero byte", variable.name);
    if (!names.insert(variable.name).second) return fmt::format("it sets {} twice", variable.name);
    bytes += variable.name.size() + variable.value.size();
  }
  if (bytes > max_env_bytes)
    return fmt::format("its variables have more than {} KB; put them into a file", max_env_bytes >> 10);
  if (spec.secrets.size() > max_secrets) return fmt::format("it requires more than {} secrets", max_secrets);
  for (const std::string& secret : spec.secrets) {
    if (std::string flaw = flaw_of_variable(secret); !flaw.empty()) return flaw;
    if (!names.insert(secret).second)
      return fmt::format("it names {} twice among its variables and secrets", secret);
  }
  return flaw_of_task_dir(spec.dir);
}

}  // namespace

std::string flaw_of(const TaskSpec& spec, std::size_t needs) {
  if (spec.title.size() > max_title_bytes)
    return fmt::format("its title has more than {} bytes; put text into the body", max_title_bytes);
  if (spec.body.size() + spec.run.size() > max_body_bytes)
    return "its body has more than 1 MB; put it into a file";
  if (needs > max_needs)
    return fmt::format("it needs {} tasks, more than {}; let some of them be needed by a task in between",
                       needs, max_needs);
  for (const Result<void>& number :
       {check_number("its size", spec.size, ranges::work_seconds),
        check_number("its budget", spec.budget, ranges::price),
        check_whole("its priority", spec.priority, ranges::priority),
        check_whole("the number of its attempts", spec.attempts, ranges::attempts)})
    if (!number) return number.error().text;
  if (spec.timeout.us <= 0) return "its timeout must be above zero";
  if (spec.timeout > max_timeout) return "its timeout is more than a year";
  if (spec.stall_after.us < 0 || spec.stall_after > max_timeout)
    return "its stall_after must be from 0 to a year";
  for (const SkillNeed& skill : spec.skills) {
    if (skill.name.empty()) return "a skill has no name";
    if (const auto level = check_number("a skill's level", skill.level, ranges::needed_level); !level)
      return level.error().text;
  }
  if (spec.labels.size() > max_labels)
    return fmt::format("it has {} labels, more than {}", spec.labels.size(), max_labels);
  for (const std::string& label : spec.labels)
    if (label.size() > max_label_bytes)
      return fmt::format("a label has {} bytes, more than {}", label.size(), max_label_bytes);
  return flaw_of_environment(spec);
}

void put_in_order(std::vector<std::string>& labels) {
  std::ranges::sort(labels);
  labels.erase(std::unique(labels.begin(), labels.end()), labels.end());
}

void put_in_order(std::vector<Need>& needs) {
  std::ranges::stable_sort(needs, {}, &Need::task);
  needs.erase(
      std::unique(needs.begin(), needs.end(), [](const Need& a, const Need& b) { return a.task == b.task; }),
      needs.end());
}

}  // namespace bidboard
