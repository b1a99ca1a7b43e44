#include "blackboard/task_limits.hpp"

#include "blackboard/fmt.hpp"

namespace bidboard {

std::string flaw_of(const TaskSpec& spec, std::size_t needs) {
  if (spec.title.size() > max_title_bytes)
    return fmt::format("its title has more than {} bytes; put text into the body", max_title_bytes);
  if (spec.body.size() + spec.run.size() > max_body_bytes)
    return "its body has more than 1 MB; put it into a file";
  if (needs > max_needs)
    return fmt::format("it needs {} tasks, more than {}; let some of them be needed by a task in between", needs,
                       max_needs);
  if (spec.size < 0) return "its size is negative";
  if (spec.size > max_size) return "its size is more than a year of work; split it";
  if (spec.timeout.us <= 0) return "its timeout must be above zero";
  if (spec.timeout > max_timeout) return "its timeout is more than a year";
  if (spec.attempts == 0) return "it must have at least one attempt";
  for (const SkillNeed& skill : spec.skills)
    if (skill.name.empty()) return "a skill has no name";
  return {};
}

}  // namespace bidboard
