#include "blackboard/environment.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::size_t name_bytes_max = 200;
constexpr std::size_t dir_bytes_max = 1'000;

constexpr std::array<std::string_view, 4> code_prefixes{"LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG"};
constexpr std::array<std::string_view, 63> code_names{
    // Where programs, the home folder and temporary files are.
    "PATH", "HOME", "TMPDIR", "SHELL",
    // Shells.
    "ENV", "BASH_ENV", "BASHOPTS", "SHELLOPTS", "IFS", "CDPATH", "PS4", "PROMPT_COMMAND", "ZDOTDIR", "FPATH",
    // The C library.
    "GCONV_PATH", "GLIBC_TUNABLES", "GETCONF_DIR", "LOCPATH", "NLSPATH", "HOSTALIASES", "LOCALDOMAIN",
    "RES_OPTIONS", "RESOLV_HOST_CONF", "TERMCAP", "TERMINFO", "TERMINFO_DIRS",
    // Interpreters.
    "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONBREAKPOINT", "PYTHONWARNINGS",
    "PYTHONUSERBASE", "PYTHONPLATLIBDIR", "NODE_OPTIONS", "NODE_PATH", "PERL5LIB", "PERL5OPT", "PERL5DB",
    "PERLLIB", "RUBYLIB", "RUBYOPT", "LUA_INIT", "LUA_PATH", "LUA_CPATH", "CLASSPATH", "JAVA_TOOL_OPTIONS",
    "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS",
    // Programs that other programs start.
    "EDITOR", "VISUAL", "PAGER", "BROWSER", "LESSOPEN", "LESSCLOSE", "GIT_SSH", "GIT_SSH_COMMAND",
    "GIT_ASKPASS", "GIT_EDITOR", "GIT_PAGER", "GIT_EXEC_PATH", "GIT_EXTERNAL_DIFF", "SSH_ASKPASS"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

}  // namespace

std::string flaw_of_variable(std::string_view name) {
  const bool starts_well = !name.empty() && (name.front() < '0' || name.front() > '9');
  if (!starts_well || name.size() > name_bytes_max || !std::ranges::all_of(name, is_word))
    return fmt::format("'{}' is not the name of a variable; use letters, digits and _, as in API_KEY",
                       name.substr(0, name_bytes_max));
  if (name.starts_with("BIDBOARD_"))
    return fmt::format("{} cannot be set: Bidboard sets what begins with BIDBOARD_", name);
  return {};
}

std::string flaw_of_task_variable(std::string_view name) {
  if (std::string flaw = flaw_of_variable(name); !flaw.empty()) return flaw;
  const auto begins_name = [&](std::string_view prefix) { return name.starts_with(prefix); };
  if (std::ranges::find(code_names, name) == code_names.end() &&
      std::ranges::none_of(code_prefixes, begins_name))
    return {};
  return fmt::format(
      "a task may not set {}, which decides what its agent executes; set it in the agent's env", name);
}

std::string flaw_of_task_dir(std::string_view dir) {
  if (dir.size() > dir_bytes_max) return fmt::format("its dir has more than {} bytes", dir_bytes_max);
  if (dir.find('\0') != std::string_view::npos) return "its dir has a zero byte";
  if (dir.starts_with('/'))
    return "its dir is absolute; write it relative to the working directory of its agent";
  int depth = 0;
  while (!dir.empty()) {
    const std::size_t slash = dir.find('/');
    const std::string_view part = dir.substr(0, slash);
    if (part == "..") depth -= 1;
    if (!part.empty() && part != "." && part != "..") depth += 1;
    if (depth < 0) return "its dir leads out of the working directory of its agent";
    dir = slash == std::string_view::npos ? std::string_view{} : dir.substr(slash + 1);
  }
  return {};
}

}  // namespace bidboard
