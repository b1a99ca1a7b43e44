// Names of environment variables and folders that tasks and agents may use: what is refused, and why. Pure.
#pragma once

#include <string>
#include <string_view>

namespace bidboard {

/// What is wrong with the name of a variable or a secret, for people; empty: nothing. A name is made of
/// letters, digits and _, and BIDBOARD_ is ours.
std::string flaw_of_variable(std::string_view name);
/// The same for a variable that a task sets. Refused besides: names by which loaders, shells and interpreters
/// find or execute code (LD_PRELOAD, PATH, BASH_ENV, ...). Whoever may post could choose what the agent's own
/// command executes.
std::string flaw_of_task_variable(std::string_view name);
/// What is wrong with a task's folder: it is below its agent's, so it is relative and does not lead out of
/// it. Links are for whoever sees the files. Empty: nothing.
std::string flaw_of_task_dir(std::string_view dir);

}  // namespace bidboard
