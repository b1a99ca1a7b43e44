// A shell command: name, summary, examples, options, and a function that runs it. Only command_line.cpp
// includes the parsing library; commands see it through Options.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/numbers.hpp"
#include "blackboard/result.hpp"
#include "blackboard/text/document.hpp"
#include "blackboard/time.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {

/// Stable for scripts (docs/cli.md).
enum class Exit : int {
  ok = 0,
  failed = 1,
  usage = 2,
  not_found = 3,
  refused = 4,
  conflict = 5,
  unavailable = 6,
  timed_out = 7,
};
/// What each exit code means, by its number.
inline constexpr std::array<std::string_view, 8> exit_meanings{
    "success",
    "failed: the environment or the store failed, or tasks of a job are not done",
    "usage error: the command line or a file is wrong",
    "not found: the board, task, agent or file does not exist",
    "refused by a rule: role, token or skill",
    "conflict: another agent was faster, or the task's state does not allow it",
    "unavailable: no agent or controller is available",
    "timed out",
};
Exit exit_for(Errc code);

/// Options that precede the command's name.
struct Globals {
  std::string directory;  ///< -C
  std::string program;    ///< path of this binary, to start further processes of it
};

/// Declares a command's options; each value is filled in before the command runs.
class Options {
 public:
  virtual ~Options() = default;
  /// names: "--body,-b"; shown: the value's name in the help text.
  virtual void text(const std::string& names, std::string& value, const std::string& shown,
                    const std::string& help) = 0;
  virtual void texts(const std::string& names, std::vector<std::string>& values, const std::string& shown,
                     const std::string& help) = 0;
  /// A text that may be left out, so that an empty one is told from none.
  virtual void maybe_text(const std::string& names, std::optional<std::string>& value,
                          const std::string& shown, const std::string& help) = 0;
  virtual void flag(const std::string& names, bool& value, const std::string& help) = 0;
  virtual void integer(const std::string& names, std::int64_t& value, const std::string& shown,
                       const std::string& help, const NumberRange& range = ranges::count) = 0;
  /// A decimal number into micro-units.
  virtual void number(const std::string& names, Micros& value, const std::string& shown,
                      const std::string& help, const NumberRange& range) = 0;
  /// 250ms, 60s, 5m, 2h.
  virtual void duration(const std::string& names, Duration& value, const std::string& shown,
                        const std::string& help) = 0;
  /// Values without a dash, in the order of declaration.
  virtual void argument(const std::string& name, std::string& value, const std::string& help,
                        bool required = true) = 0;
  virtual void arguments(const std::string& name, std::vector<std::string>& values, const std::string& help,
                         bool required = true) = 0;
  /// "t12" or "12"; likewise for agents.
  void task(const std::string& name, std::string& value, bool required = true) {
    argument(name, value, "The task, t12 or 12", required);
  }
};

using Action0 = std::function<Result<Exit>(const Globals&)>;

struct Command {
  std::string name;
  std::string group;                                          ///< heading in the list of commands
  std::string summary;                                        ///< one line
  std::string details;                                        ///< further paragraphs; may be empty
  std::vector<std::pair<std::string, std::string>> examples;  ///< command line, what it does
  /// Declares the options and returns what to do once they are filled in.
  std::function<Action0(Options&)> declare;
};

/// Every command, in the order of the help text.
const std::vector<Command>& all_commands();

/// "auction, blackboard, ...": names in a help text.
template <class Names>
std::string listed(const Names& names) {
  std::string text;
  for (const auto& name : names) text.append(text.empty() ? "" : ", ").append(name);
  return text;
}

/// Prints the error ("bidboard: ...") on stderr; the exit code that goes with it.
Exit report(const Error& error);

/// "t12", or "12" for short. Errors: invalid.
Result<TaskId> read_task_id(const std::string& text);
/// An option's value: "@file" reads a file, "-" reads stdin, anything else is the text itself. Errors:
/// not_found; refused (not readable by this user); invalid (a folder); storage.
Result<std::string> read_text(const std::string& value);
/// "cpp", "cpp=0.9" (what an agent can do) / "cpp", "cpp>=0.7" (what a task needs). Errors: invalid.
struct NamedLevel {
  std::string name;
  std::optional<Micros> level;
};
Result<NamedLevel> read_skill(const std::string& text, const std::string& separator);

}  // namespace bidboard
