#include "runtime/fleet/rehearsal.hpp"

#include <stdlib.h>

#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"
#include "runtime/fleet/workforce.hpp"

namespace bidboard {
namespace {

constexpr const char* secrets_variable = "REHEARSED_SECRET";

void make_stand_in(PlannedAgent& agent) {
  agent.exec = fmt::format("{} stand-in {}", shell_quoted(own_program()), agent.preset);
  agent.env_file.clear();
  for (SecretSource& secret : agent.secrets) secret = {secret.name, secrets_variable, {}};
}

}  // namespace

Result<std::string> rehearse(std::vector<PlannedAgent>& agents, const std::string& file) {
  std::size_t stand_ins = 0;
  std::string others;
  for (PlannedAgent& agent : agents) {
    if (agent.preset.empty()) {
      others += (others.empty() ? "" : ", ") + agent.profile.name;
    } else {
      make_stand_in(agent);
      ++stand_ins;
    }
  }
  if (stand_ins == 0)
    return fail(Errc::invalid,
                fmt::format("nothing to rehearse: no agent in {} has a preset; add one, as in "
                            "agents: [{{name: claude, preset: claude}}], or leave out --rehearse",
                            file));
  ::setenv(secrets_variable, "a rehearsal needs no key", 1);
  std::string text = fmt::format(
      "rehearsal: stand-ins that edit files by rule do the work of {} with a preset; no model is asked, "
      "and their tasks count as done",
      counted(stand_ins, "agent"));
  if (!others.empty()) text += fmt::format("; without a preset, and as they are: {}", others);
  return text;
}

}  // namespace bidboard
