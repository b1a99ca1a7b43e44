// agent: runs one agent in the foreground.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "blackboard/fmt.hpp"
#include "runtime/fleet/agent_process.hpp"
#include "runtime/jobs/agent_entry.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/notes.hpp"

namespace bidboard {
namespace {

constexpr const char* usual_name = "agent";

struct AgentArgs {
  AgentProcessOptions options;
  std::string description;
  std::string role = "specialist";
  std::vector<std::string> skills;
  std::int64_t capacity = 1;
  std::string coprocess;
  bool simulate = false;
  bool no_bids = false;
  bool live = false;
  std::string input = "text";
  std::int64_t seed = 1;
  bool quiet = false;
};

/// With --description: the agent is what that says, and --name, if given, names it. Not whatever else is
/// typed here.
Result<void> take_description(AgentArgs& args) {
  const std::string typed_name = std::exchange(args.options.agent.profile.name, usual_name);
  PlannedAgent usual;
  usual.profile.name = usual_name;
  const bool typed = args.options.agent != usual || args.role != "specialist" || !args.skills.empty() ||
                     args.capacity != 1 || !args.coprocess.empty() || args.simulate || args.no_bids ||
                     args.live || args.input != "text" || args.seed != 1;
  if (typed)
    return fail(Errc::invalid,
                "with --description, write what the agent is into the description; --name, "
                "--directory, --connect, --key, --patience and --quiet can be added");
  const Result<std::string> text = read_text(args.description);
  if (!text) return fail(text.error());
  const std::string source = args.description.starts_with('@') ? args.description.substr(1) : "description";
  Result<PlannedAgent> agent = read_agent(*text, source);
  if (!agent) return fail(agent.error());
  args.options.agent = std::move(*agent);
  if (typed_name != usual_name) args.options.agent.profile.name = typed_name;
  return {};
}

Result<void> fill_in(AgentArgs& args) {
  if (!args.description.empty()) return take_description(args);
  PlannedAgent& agent = args.options.agent;
  const auto role = parse_role(args.role);
  if (!role)
    return fail(Errc::invalid, fmt::format("unknown role '{}'; use specialist for agents that do tasks, "
                                           "manager or executive for agents that "
                                           "assign them",
                                           args.role));
  agent.profile.role = *role;
  for (const std::string& text : args.skills) {
    const Result<NamedLevel> skill = read_skill(text, "=");
    if (!skill) return fail(skill.error());
    agent.profile.skills.push_back({skill->name, skill->level.value_or(one)});
  }
  if (args.capacity < 1 || args.capacity > 10'000)
    return fail(Errc::invalid, "--capacity must be from 1 to 10000");
  agent.profile.capacity = static_cast<std::uint32_t>(args.capacity);
  const int kinds = !agent.exec.empty() + !args.coprocess.empty() + args.simulate;
  if (kinds > 1) return fail(Errc::invalid, "use only one of --exec, --coprocess and --simulate");
  if (kinds == 0 && !agent.profile.allow_run && !leads(*role))
    return fail(Errc::invalid,
                "choose how the agent works: --exec CMD, --coprocess CMD, --simulate, or --allow-run for "
                "tasks with a command");
  if (args.input != "text" && args.input != "json")
    return fail(Errc::invalid, "--input must be text or json");
  agent.json_input = args.input == "json";
  agent.answers_bids = !args.no_bids;
  if (!args.coprocess.empty()) agent.exec = args.coprocess;
  agent.executor = args.simulate             ? ExecutorKind::simulated
                   : !args.coprocess.empty() ? ExecutorKind::coprocess
                                             : ExecutorKind::command;
  if (agent.executor != ExecutorKind::command && !agent.bid.empty())
    return fail(Errc::invalid, "--bid can only be used with --exec; a coprocess bids over its JSON lines");
  if (args.live && !agent.profile.cost_formula.empty())
    return fail(Errc::invalid,
                "use only one of --live and --cost: the controller evaluates a formula itself");
  // As read_agent() fills it in from a description.
  if (args.live || !agent.bid.empty())
    agent.profile.bids = BidStyle::live;
  else if (!agent.profile.cost_formula.empty())
    agent.profile.bids = BidStyle::formula;
  agent.profile.simulated = args.simulate;
  if (agent.noise < 0 || agent.noise > one || agent.failure_rate < 0 || agent.failure_rate > one)
    return fail(Errc::invalid, "--noise and --failure-rate must be from 0 to 1");
  agent.seed = static_cast<std::uint64_t>(args.seed);
  return {};
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
  if (options.directory.empty()) options.directory = std::filesystem::current_path(error).string();
  return remote_place(options.connect);
}

Result<Exit> agent(const Globals& globals, AgentArgs args) {
  if (const Result<void> ok = fill_in(args); !ok) return fail(ok.error());
  const Result<BoardDirectory> board = place_for(globals, args.options);
  if (!board) return fail(board.error());
  const std::string name = args.options.agent.profile.name;
  if (!args.quiet)
    args.options.on_note = [name](const std::string& text) {
      print_note({Note::Level::info, fmt::format("{} {}", name, text)});
    };
  const Result<void> worked = run_agent(*board, args.options);
  if (!worked) return fail(worked.error());
  return Exit::ok;
}

void declare_work(Options& o, AgentArgs& args) {
  PlannedAgent& agent = args.options.agent;
  o.text("--exec", agent.exec, "CMD",
         "One process per task: the task on stdin, the result on stdout, exit 0 for success");
  o.text("--input", args.input, "text|json", "Format of the task on stdin: title and body, or JSON");
  o.text("--coprocess", args.coprocess, "CMD",
         "One long-lived process that speaks JSON lines (docs/coprocess.md)");
  o.flag("--no-bids", args.no_bids, "The coprocess does not bid; use standard bids or --cost");
  o.flag("--simulate", args.simulate, "Simulate work: wait for size / speed");
  o.flag("--allow-run", agent.profile.allow_run, "Execute the `run` command of tasks");
  o.text("--price-field", agent.price_field, "PATH",
         "Path of the price in a JSON result, e.g. total_cost_usd");
  o.text("--tokens-field", agent.tokens_field, "PATH", "Path of the token count, e.g. usage.output_tokens");
  o.text("--result-field", agent.result_field, "PATH", "Path of the result itself");
  o.number("--noise", agent.noise, "X", "With --simulate: 0.2 varies durations by 20 %");
  o.number("--failure-rate", agent.failure_rate, "X", "With --simulate: share of attempts that fail");
  o.integer("--seed", args.seed, "N", "With --simulate: random seed");
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
            PlannedAgent& agent_options = args->options.agent;
            AgentProfile& profile = agent_options.profile;
            profile.name = usual_name;
            o.text("--name", profile.name, "NAME", "Its name, unique among live agents");
            o.text("--description", args->description, "JSON|@file|-",
                   "The agent as JSON or YAML with the keys of `agents:` in a job file, instead of options");
            o.text("--role", args->role, "ROLE",
                   "specialist does tasks; manager and executive assign them (strategy hierarchy)");
            o.text("--parent", profile.parent, "NAME", "The manager or executive above it");
            o.text("--project", profile.project, "NAME", "Take only tasks of this project");
            o.texts("--skill,-s", args->skills, "NAME[=LEVEL]",
                    "A skill and its level: above 0, normally up to 1");
            o.number("--speed", profile.speed, "X", "Speed of its work; 1 is normal");
            o.integer("--capacity", args->capacity, "N", "Tasks at once");
            declare_work(o, *args);
            o.text("--bid", agent_options.bid, "CMD",
                   "Live bids by a command: task as JSON on stdin, bid or refusal on stdout");
            o.text("--cost", profile.cost_formula, "FORMULA",
                   "Proxy bids by a formula for seconds, over size, speed, level, needs ...");
            o.flag("--live", args->live,
                   "Live standard bids: size / speed / skill level, computed by the agent");
            o.number("--price-per-second", profile.price_per_second, "X",
                     "Price per second, in standard and formula bids");
            o.number("--set-up", profile.set_up, "SECONDS",
                     "Time saved on each further task of a kind; adds bids for bundles");
            o.text("--directory", args->options.directory, "DIR",
                   "Working directory of commands [the board's folder]");
            o.text("--connect", args->options.connect, "ADDRESS",
                   "Address of a controller on another machine, tcp://HOST:PORT [BIDBOARD_CONNECT]");
            o.text("--key", args->options.key_file, "FILE", "Key file for that controller [BIDBOARD_KEY]");
            o.duration("--bid-timeout", agent_options.bid_timeout, "TIME", "Time limit of the --bid command");
            o.duration("--patience", args->options.patience, "TIME",
                       "How long to wait for a controller at the start");
            o.flag("--quiet", args->quiet, "Print errors only");
            return [args](const Globals& globals) { return agent(globals, *args); };
          }};
}

}  // namespace bidboard
