// mcp: the board as tools of a coding agent, over the Model Context Protocol.
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/mcp_install.hpp"
#include "runtime/shell/mcp_loop.hpp"
#include "runtime/shell/mcp_session.hpp"
#include "runtime/shell/mcp_tools.hpp"

namespace bidboard {
namespace {

struct McpArgs {
  std::string verb;
  McpInstall install;
  std::string token_file;
  McpIdentity identity;
};

/// The token as it would have come in the environment. Gemini passes on only what its configuration names,
/// under a name of the configuration's own; where the variable is not set, that is empty or the reference
/// itself.
Result<void> take_token(const std::string& file) {
  constexpr std::pair<const char*, const char*> passed_on[] = {{"BIDBOARD_MCP_TOKEN", "BIDBOARD_TOKEN"},
                                                               {"BIDBOARD_MCP_KEY", "BIDBOARD_KEY"}};
  for (const auto& [from, to] : passed_on)
    if (const char* value = std::getenv(from); value && *value != '\0' && *value != '$')
      ::setenv(to, value, 1);
  if (file.empty()) return {};
  Result<std::string> text = read_text("@" + file);
  if (!text) return fail_in("--token-file", text.error());
  while (text->ends_with('\n')) text->pop_back();
  ::setenv("BIDBOARD_TOKEN", text->c_str(), 1);
  return {};
}

Result<Exit> serve(const Globals& globals, const McpArgs& args) {
  if (const Result<void> taken = take_token(args.token_file); !taken) return fail(taken.error());
  McpSession session(globals, args.identity);
  mcp::Server server({"bidboard", BIDBOARD_VERSION, board_instructions(session)}, board_tools(session));
  session.meet([&server] { return server.client(); });
  return serve_mcp(server);
}

Result<Exit> run_mcp(const Globals& globals, const McpArgs& args) {
  if (args.verb == "install") return install_mcp(globals, args.install);
  if (args.verb == "serve" && (!args.install.client.empty() || args.install.remove || args.install.dry_run))
    return fail(Errc::invalid, "a client, --remove and --dry-run are for `bidboard mcp install CLIENT`");
  if (args.verb == "serve") return serve(globals, args);
  return fail(Errc::invalid, fmt::format("unknown action '{}'; use serve or install", args.verb));
}

}  // namespace

Command mcp_command() {
  return {
      "mcp",
      "Work",
      "Give a coding agent the board as tools (Model Context Protocol)",
      "  serve            on standard input and output; a client starts this\n"
      "  install CLIENT   tell claude, codex, gemini or opencode of it, in the file that the client reads\n"
      "The session is an agent of its own, from its first claim or comment on. Inside a task's process "
      "it acts as\n"
      "that task's agent, and may do what the task's token allows. docs/mcp.md lists the tools.",
      {{"bidboard mcp install claude", "write .mcp.json beside the board, and show what changes"},
       {"bidboard mcp install codex --dry-run", "only show what would change in ~/.codex/config.toml"},
       {"bidboard mcp install gemini --remove", "undo it"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<McpArgs>();
        args->verb = "serve";
        o.argument("ACTION", args->verb, "serve or install [serve]", false);
        o.argument("CLIENT", args->install.client, "install: claude, codex, gemini or opencode", false);
        o.text("--as", args->identity.name, "NAME",
               "The agent that the session is [made from the client's name]");
        o.texts("--skill,-s", args->identity.skills, "NAME[=LEVEL]", "What it can do");
        o.text("--token-file", args->token_file, "FILE",
               "A file with the BIDBOARD_TOKEN of the session's task");
        o.flag("--remove", args->install.remove, "install: undo it");
        o.flag("--dry-run", args->install.dry_run, "install: only show what would change");
        return [args](const Globals& globals) { return run_mcp(globals, *args); };
      }};
}

}  // namespace bidboard
