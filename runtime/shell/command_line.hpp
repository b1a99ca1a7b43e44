// From argv to a command and its options, and the help texts.
#pragma once

#include "runtime/shell/command.hpp"

namespace bidboard {

/// Parses, runs, reports. Returns the process's exit code.
int run_command_line(int argc, char** argv);

/// The list of commands.
std::string overview_text();
/// nullptr: there is none of that name.
const Command* find_command(std::string_view name);
/// For completion scripts and docs: the long options of a command ("--body"), and its help text.
std::vector<std::string> option_names(const Command& command);
std::string help_text(const Command& command);

}  // namespace bidboard
