// The command lines of a controller and of agents, as `up` and `run` start them.
#pragma once

#include <string>

#include "runtime/fleet/supervisor.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// The absolute path of the running binary.
std::string own_program();

/// `listen`: an address for other machines; empty: none.
ChildSpec controller_child(const BoardDirectory& board, bool durable, const std::string& listen = {});
/// `bidboard merge --follow`, as `merge:` in bidboard.yaml says.
ChildSpec merging_child(const BoardDirectory& board);
/// The agent's description (agent_entry.hpp) is on the child's stdin, so that commands and formulas neither
/// show in the list of processes nor are limited in length. `work_directory`: where its commands run if
/// it names no dir.
ChildSpec agent_child(const BoardDirectory& board, const PlannedAgent& agent,
                      const std::string& work_directory);

}  // namespace bidboard
