#include "runtime/shell/caller.hpp"

#include <algorithm>
#include <cstdlib>
#include <span>
#include <string>

#include "blackboard/fmt.hpp"

#include "runtime/home/key_directory.hpp"

namespace bidboard {
namespace {

std::string variable(const char* name) {
  const char* text = std::getenv(name);
  return text ? text : "";
}

constexpr const char* token_variable = "BIDBOARD_TOKEN";

/// Inside an execution: what its agent hides there, so that it is hidden in what is reported by this tool
/// too.
std::vector<EnvVariable> own_secrets() {
  std::vector<EnvVariable> secrets;
  const std::string names = variable("BIDBOARD_SECRETS");
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    std::string name = names.substr(at, end - at);
    std::string value = variable(name.c_str());
    secrets.push_back({std::move(name), std::move(value)});
    at = end + 1;
  }
  return secrets;
}

/// What a token may do: act for its task, post below it, and read.
constexpr std::string_view for_tokens[] = {
    "post",    "dep",  "renew",  "done",       "fail",  "progress", "tasks", "ready",  "show",    "agents",
    "explain", "bids", "status", "log",        "watch", "output",   "graph", "query",  "auction", "comment",
    "doctor",  "help", "prime",  "completion", "wait",  "search",   "gantt", "manual", "mcp"};
/// The controller refuses these and records that they were tried (or it decides them by the caller's role).
/// What its agent itself starts.
constexpr std::string_view for_agents[] = {"in-worktree", "stand-in"};
constexpr std::string_view for_controller[] = {"claim",  "cancel",   "retry", "pause",
                                               "resume", "reassign", "edit"};

}  // namespace

Result<void> may_run(std::string_view command) {
  const char* token = std::getenv(token_variable);
  if (!token) return {};
  if (*token == '\0')
    return fail(Errc::invalid, "BIDBOARD_TOKEN is set, but empty; unset it to act as yourself");
  for (const std::span<const std::string_view> names :
       {std::span<const std::string_view>(for_tokens), std::span<const std::string_view>(for_agents),
        std::span<const std::string_view>(for_controller)})
    if (std::ranges::find(names, command) != names.end()) return {};
  return fail(Errc::refused,
              fmt::format("a task's process may not run `{}` (BIDBOARD_TOKEN is set); it may run {}", command,
                          listed(for_tokens)));
}

CallOptions caller(const std::string& as) {
  CallOptions options;
  options.as = as;
  options.token = variable(token_variable);
  options.hidden = Redactor(own_secrets());
  return options;
}

Result<Target> target_at(const std::string& endpoint, const std::string& key_file) {
  if (key_file.empty()) return Target(endpoint, {});
  Result<CurveKeys> keys = read_client_keys(key_file);
  if (!keys) return fail(keys.error());
  return Target(endpoint, std::move(*keys));
}

Result<Target> find_target(const Globals& globals) {
  const std::string elsewhere = variable(connect_variable);
  if (globals.directory.empty() && !elsewhere.empty()) return target_at(elsewhere, variable("BIDBOARD_KEY"));
  Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  return Target(std::move(*board));
}

}  // namespace bidboard
