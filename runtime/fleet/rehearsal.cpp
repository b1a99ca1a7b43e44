#include "runtime/fleet/rehearsal.hpp"

#include <stdlib.h>

#include "blackboard/fmt.hpp"
#include "blackboard/text/shell.hpp"
#include "runtime/fleet/workforce.hpp"

namespace bidboard {
namespace {

constexpr const char* secrets_variable = "BIDBOARD_REHEARSAL";

void make_stand_in(PlannedAgent& agent) {
  agent.exec = fmt::format("{} stand-in {}", shell_quoted(own_program()), agent.preset);
  agent.env_file.clear();
  for (SecretSource& secret : agent.secrets) secret = {secret.name, secrets_variable, {}};
}

}  // namespace

Result<std::string> rehearse(std::vector<PlannedAgent>& agents, const std::string& file) {
  std::string stand_ins, others;
  for (PlannedAgent& agent : agents) {
    std::string& names = agent.preset.empty() ? others : stand_ins;
    names += (names.empty() ? "" : ", ") + agent.profile.name;
    if (!agent.preset.empty()) make_stand_in(agent);
  }
  if (stand_ins.empty())
    return fail(Errc::invalid,
                fmt::format("nothing to rehearse: no agent in {} has a preset; add one, as in "
                            "agents: [{{name: claude, preset: claude}}], or leave out --rehearse",
                            file));
  ::setenv(secrets_variable, "1", 1);
  return fmt::format("rehearsal: {} edit files by rule, and no model is asked{}", stand_ins,
                     others.empty() ? "" : fmt::format("; {} run their own commands", others));
}

}  // namespace bidboard
