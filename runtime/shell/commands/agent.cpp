// agent: runs one agent in the foreground.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "blackboard/fmt.hpp"
#include "runtime/fleet/agent_process.hpp"
#include "runtime/jobs/agent_entry.hpp"
#include "runtime/jobs/variables.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/notes.hpp"
#include "runtime/shell/pricing.hpp"

namespace bidboard {
namespace {

/// What was typed for an option of agent_options().
struct TypedOption {
  AgentOption option;
  std::string text;
  std::vector<std::string> texts;
  bool flag = false;
};

struct AgentArgs {
  AgentProcessOptions options;
  std::vector<TypedOption> typed;
  std::string description;
  std::string coprocess;
  bool simulate = false;
  bool quiet = false;
};

std::string current_folder() {
  std::error_code error;
  return std::filesystem::current_path(error).string();
}

/// A map from key to what was typed.
Result<Value> typed_keys(const AgentArgs& args) {
  Value keys;
  for (const TypedOption& typed : args.typed) {
    if (!typed.text.empty()) keys.set(typed.option.key, Value(typed.text));
    if (typed.flag) keys.set(typed.option.key, Value(true));
    for (const std::string& text : typed.texts) {
      if (!keys.find(typed.option.key)) keys.set(typed.option.key, Value(Value::Array{}));
      keys.object().back().value.push(Value(text));
    }
  }
  const bool exec = keys.find("exec") != nullptr;
  if (exec + !args.coprocess.empty() + args.simulate > 1)
    return fail(Errc::invalid, "use only one of --exec, --coprocess and --simulate");
  if (!args.coprocess.empty()) {
    keys.set("executor", Value("coprocess"));
    keys.set("exec", Value(args.coprocess));
  }
  if (args.simulate) keys.set("executor", Value("simulated"));
  return keys;
}

/// With --description: the agent is what that says. Its name may be typed besides, and where it works if it
/// does not say so.
Result<PlannedAgent> described_agent(const std::string& description, const Value& typed) {
  const Value* name = typed.find("name");
  const Value* dir = typed.find("dir");
  if (!typed.is_null() && typed.object().size() > (name ? 1U : 0U) + (dir ? 1U : 0U))
    return fail(Errc::invalid,
                "with --description, write what the agent is into the description; --name, "
                "--dir, --connect, --key, --patience and --quiet can be added");
  const Result<std::string> text = read_text(description);
  if (!text) return fail(text.error());
  Result<PlannedAgent> agent =
      read_agent(*text, description.starts_with('@') ? description.substr(1) : "description");
  if (!agent) return agent;
  const std::string here = current_folder();
  const bool is_file = description.starts_with('@');
  resolve_paths(
      *agent, is_file ? (std::filesystem::path(here) / description.substr(1)).parent_path().string() : here);
  if (name) agent->profile.name = name->string();
  if (dir && agent->dir.empty()) agent->dir = std::filesystem::path(here) / dir->string();
  return agent;
}

Result<PlannedAgent> wanted_agent(const AgentArgs& args) {
  Result<Value> typed = typed_keys(args);
  if (!typed) return fail(typed.error());
  if (!args.description.empty()) return described_agent(args.description, *typed);
  if (!typed->find("name")) typed->set("name", Value("agent"));
  Result<PlannedAgent> agent = read_agent_options(*typed);
  if (agent) resolve_paths(*agent, current_folder());
  return agent;
}

/// The folder of an agent whose controller runs on another machine. All agents of that board on this machine
/// share it, and with it the task locks, so that two executions of a task cannot overlap here.
Result<BoardDirectory> remote_place(const std::string& endpoint) {
  const auto variable = [](const char* name) {
    return std::string(std::getenv(name) ? std::getenv(name) : "");
  };
  const std::string home = variable("HOME"), state = variable("XDG_STATE_HOME");
  if (home.empty() && state.empty())
    return fail(Errc::unavailable,
                "neither HOME nor XDG_STATE_HOME is set, so there is no folder for the output of tasks");
  std::string name = endpoint;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.'; }, '_');
  const std::filesystem::path folder =
      std::filesystem::path(state.empty() ? home + "/.local/state" : state) / "bidboard" / name;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return fail(Errc::storage, fmt::format("cannot make {}: {}", folder.string(), error.message()));
  return BoardDirectory{folder.string()};
}

Result<BoardDirectory> place_for(const Globals& globals, AgentProcessOptions& options) {
  const auto variable = [](const char* name) {
    return std::string(std::getenv(name) ? std::getenv(name) : "");
  };
  if (options.connect.empty() && globals.directory.empty()) {
    options.connect = variable(connect_variable);
    if (options.key_file.empty()) options.key_file = variable("BIDBOARD_KEY");
  }
  if (options.connect.empty()) return find_board(globals.directory);
  std::error_code error;
  if (!options.key_file.empty())
    options.key_file = std::filesystem::absolute(options.key_file, error).string();
  if (options.agent.dir.empty()) options.agent.dir = current_folder();
  return remote_place(options.connect);
}

Result<Exit> agent(const Globals& globals, AgentArgs args) {
  Result<PlannedAgent> wanted = wanted_agent(args);
  if (!wanted) return fail(wanted.error());
  args.options.agent = std::move(*wanted);
  const Result<BoardDirectory> board = place_for(globals, args.options);
  if (!board) return fail(board.error());
  // A supervisor, which describes the agent on stdin, has looked at prices already. Another machine has no
  // bidboard.yaml.
  if (args.description != "-" && args.options.connect.empty()) {
    std::vector<PlannedAgent> agents{std::move(args.options.agent)};
    if (const auto priced = use_board_prices(*board, agents, false); !priced) return fail(priced.error());
    args.options.agent = std::move(agents[0]);
  }
  const std::string name = args.options.agent.profile.name;
  if (!args.quiet)
    args.options.on_note = [name](const std::string& text) {
      print_note({Note::Level::info, fmt::format("{} {}", name, text)});
    };
  const Result<void> worked = run_agent(*board, args.options);
  if (!worked) return fail(worked.error());
  return Exit::ok;
}

/// One option for each row of the table of keys, in its order, and the two short forms of an executor.
void declare_agent(Options& o, AgentArgs& args) {
  for (AgentOption& option : agent_options()) args.typed.push_back({std::move(option), {}, {}});
  for (TypedOption& typed : args.typed) {
    const std::string names(typed.option.names), shown(typed.option.shown);
    if (typed.option.repeated)
      o.texts(names, typed.texts, shown, typed.option.help);
    else if (shown.empty())
      o.flag(names, typed.flag, typed.option.help);
    else
      o.text(names, typed.text, shown, typed.option.help);
    if (typed.option.key != "exec") continue;
    o.text("--coprocess", args.coprocess, "CMD",
           "One long-lived process that speaks JSON lines (docs/coprocess.md)");
    o.flag("--simulate", args.simulate, "Simulate work: wait for size / speed");
  }
}

}  // namespace

Command agent_command() {
  return {"agent",
          "Agents",
          "Run an agent in the foreground, until SIGTERM or Ctrl-C",
          "",
          {{"bidboard agent --name claude --exec 'claude -p' --skill cpp=0.9",
            "a coding agent: title and body in, result out"},
           {"bidboard agent --name runner --allow-run --capacity 2",
            "executes tasks that were posted with --run, two at a time"},
           {"bidboard agent --name left --role manager --parent boss",
            "assigns tasks to the agents that name it as --parent (strategy hierarchy)"},
           {"bidboard agent --connect tcp://HOST:7070 --key laptop.key --name far --exec './solve'",
            "for a board on another machine; `bidboard keys` there makes the key"},
           {"bidboard agent --name py --coprocess 'python3 examples/python_agent.py'",
            "an agent in any language"},
           {"bidboard agent --name c --exec './solve' --cost 'size / 2 + 1'", "bids by a formula"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<AgentArgs>();
            declare_agent(o, *args);
            o.text("--description", args->description, "JSON|@file|-",
                   "The agent as JSON or YAML with the keys of `agents:` in a job file, instead of options");
            o.text("--connect", args->options.connect, "ADDRESS",
                   "Address of a controller on another machine, tcp://HOST:PORT [BIDBOARD_CONNECT]");
            o.text("--key", args->options.key_file, "FILE", "Key file for that controller [BIDBOARD_KEY]");
            o.duration("--patience", args->options.patience, "TIME",
                       "How long to wait for a controller at the start");
            o.flag("--quiet", args->quiet, "Print errors only");
            return [args](const Globals& globals) { return agent(globals, *args); };
          }};
}

}  // namespace bidboard
