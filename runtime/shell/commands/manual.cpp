// manual: the manual page, made of the same help as everything else. Called by `cmake --install`.
#include "blackboard/fmt.hpp"
#include "runtime/shell/command_line.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/output.hpp"

namespace bidboard {
namespace {

/// Text as roff takes it: no escapes, no requests at the beginning of a line.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((out.empty() || out.back() == '\n') && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

/// Lines that stay as they are.
std::string verbatim(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return fmt::format(".nf\n{}\n.fi\n", roff(text));
}

constexpr const char* description =
    R"(Bidboard lets agent processes share one durable blackboard: tasks with dependencies are posted to it,
agents bid for those that they can do, and each result is kept. A board is the folder .bidboard; without
a controller, commands work on it one at a time.
)";

constexpr const char* environment =
    ".TP\n.B BIDBOARD_DIR\nThe folder of the board, when \\-C is not given.\n"
    ".TP\n.B BIDBOARD_CONNECT\\fR, \\fBBIDBOARD_KEY\n"
    "A controller on another machine, and the key file for it.\n"
    ".TP\n.B BIDBOARD_TASK\\fR, \\fBBIDBOARD_EPOCH\\fR, \\fBBIDBOARD_NEEDS\\fR, \\fBBIDBOARD_TOKEN\n"
    "Set for the process of a task: the task, the number of its award, a file with the results of what it\n"
    "needs, and its rights.\n"
    ".TP\n.B NO_COLOR\nNo colours.\n";

constexpr const char* files =
    ".TP\n.I .bidboard/\nThe board.\n"
    ".TP\n.I bidboard.yaml\nHow the board is run; `bidboard help settings` lists its keys.\n"
    ".TP\n.I ~/.bidboard_history\nThe lines typed at the prompt of `bidboard query`.\n";

std::string manual_page() {
  std::string page = fmt::format(
      ".TH BIDBOARD 1 \"\" \"Bidboard {}\" \"User Commands\"\n"
      ".SH NAME\nbidboard \\- one durable blackboard for agent processes\n"
      ".SH SYNOPSIS\n.B bidboard\n[\\fB\\-C\\fR \\fIDIR\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
      ".SH DESCRIPTION\n{}",
      BIDBOARD_VERSION, roff(description));
  page += ".SH COMMANDS\n";
  for (const Command& command : all_commands())
    if (!command.group.empty())
      page += fmt::format(".SS {}\n{}", roff(command.name), verbatim(help_text(command)));
  page += ".SH EXIT STATUS\n";
  std::string codes;
  for (std::size_t code = 0; code < exit_meanings.size(); ++code)
    codes += fmt::format("{}  {}\n", code, exit_meanings[code]);
  page += verbatim(codes);
  return page + ".SH ENVIRONMENT\n" + environment + ".SH FILES\n" + files;
}

}  // namespace

Command manual_command() {
  return {"manual",
          "",  // for installation, not for people: they have `help` and `man`
          "Print the manual page in roff",
          "",
          {{"bidboard manual > bidboard.1", "called by cmake --install"}},
          [](Options&) -> Action0 {
            return [](const Globals&) -> Result<Exit> {
              write_out(manual_page());
              return Exit::ok;
            };
          }};
}

}  // namespace bidboard
