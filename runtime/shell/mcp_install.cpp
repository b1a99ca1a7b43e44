#include "runtime/shell/mcp_install.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "blackboard/fmt.hpp"
#include "runtime/mcp/client_config.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/changed_file.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

Result<fs::path> file_of(const Globals& globals, const mcp::Client& client) {
  if (client.place == mcp::Client::Place::codex_home) {
    const char* codex = std::getenv("CODEX_HOME");
    const char* home = std::getenv("HOME");
    if (codex && *codex == '/') return fs::path(codex) / client.file;
    if (home && *home == '/') return fs::path(home) / ".codex" / client.file;
    return fail(Errc::not_found, "there is no home folder; set HOME or CODEX_HOME");
  }
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (board) return fs::path(board->home()) / client.file;
  // Of a board that is elsewhere, or not made yet: the client is started here.
  if (!globals.directory.empty()) return fail(board.error());
  std::error_code error;
  return fs::current_path(error) / client.file;
}

/// The name alone, if a shell would start this program by it.
std::string program_name() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  const char* variable = std::getenv("PATH");
  const std::string folders = variable ? variable : "";
  for (std::size_t at = 0; at < folders.size();) {
    const std::size_t end = std::min(folders.find(':', at), folders.size());
    const fs::path candidate = fs::path(folders.substr(at, end - at)) / "bidboard";
    if (::access(candidate.c_str(), X_OK) == 0)
      return fs::equivalent(candidate, self, error) ? "bidboard" : self.string();
    at = end + 1;
  }
  return self.string();
}

Result<const mcp::Client*> client_named(const std::string& name) {
  if (const mcp::Client* client = mcp::find_client(name)) return client;
  std::vector<std::string> names;
  for (const mcp::Client& client : mcp::clients()) names.emplace_back(client.name);
  const std::string what = name.empty() ? "name the client" : fmt::format("'{}' is not a known client", name);
  return fail(Errc::invalid, fmt::format("{}: {}", what, listed(names)));
}

}  // namespace

Result<Exit> install_mcp(const Globals& globals, const McpInstall& what) {
  if (!caller().token.empty())
    return fail(Errc::refused, "a task's process may not configure clients (BIDBOARD_TOKEN is set)");
  const Result<const mcp::Client*> client = client_named(what.client);
  if (!client) return fail(client.error());
  const Result<fs::path> path = file_of(globals, **client);
  if (!path) return fail(path.error());
  FileChange change{*path, what.remove, what.dry_run, {}, {}};
  change.unchanged = what.remove ? "does not mention bidboard" : "has bidboard already";
  change.to = [&](const std::string& before) {
    return what.remove ? mcp::without_server(**client, before)
                       : mcp::with_server(**client, before, program_name());
  };
  if ((*client)->place != mcp::Client::Place::codex_home) mention_missing_board(globals, change.path);
  return change_file(change);
}

}  // namespace bidboard
