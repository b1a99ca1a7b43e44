// agent: one agent process in the foreground.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>

#include "runtime/fleet/agent_process.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/notes.hpp"

namespace bidboard {
namespace {

struct AgentArgs {
  AgentProcessOptions options;
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

Result<void> fill_in(AgentArgs& args) {
  PlannedAgent& agent = args.options.agent;
  const auto role = parse_role(args.role);
  if (!role)
    return fail(Errc::invalid, "unknown role '" + args.role +
                                   "'; agents that do tasks are specialists, managers and executives lead");
  agent.profile.role = *role;
  for (const std::string& text : args.skills) {
    const Result<NamedLevel> skill = read_skill(text, "=");
    if (!skill) return fail(skill.error());
    agent.profile.skills.push_back({skill->name, skill->level.value_or(one)});
  }
  if (args.capacity < 1 || args.capacity > 10'000)
    return fail(Errc::invalid, "--capacity is a number from 1 to 10000");
  agent.profile.capacity = static_cast<std::uint32_t>(args.capacity);
  const int kinds = !agent.exec.empty() + !args.coprocess.empty() + args.simulate;
  if (kinds > 1) return fail(Errc::invalid, "--exec, --coprocess and --simulate exclude each other");
  if (kinds == 0 && !agent.profile.allow_run && !leads(*role))
    return fail(Errc::invalid,
                "say how it works: --exec CMD, --coprocess CMD, --simulate, or --allow-run for tasks that "
                "bring their command");
  if (args.input != "text" && args.input != "json") return fail(Errc::invalid, "--input is text or json");
  agent.json_input = args.input == "json";
  agent.answers_bids = !args.no_bids;
  if (!args.coprocess.empty()) agent.exec = args.coprocess;
  agent.executor = args.simulate             ? ExecutorKind::simulated
                   : !args.coprocess.empty() ? ExecutorKind::coprocess
                                             : ExecutorKind::command;
  if (agent.executor != ExecutorKind::command && !agent.bid.empty())
    return fail(Errc::invalid, "--bid goes with --exec; a coprocess bids over its own lines");
  if (args.live && !agent.profile.cost_formula.empty())
    return fail(Errc::invalid,
                "--live and --cost exclude each other: a formula is worked out without asking");
  if (args.live) agent.profile.bids = BidStyle::live;
  if (args.options.noise < 0 || args.options.noise > one || args.options.failure_rate < 0 ||
      args.options.failure_rate > one)
    return fail(Errc::invalid, "--noise and --failure-rate are from 0 to 1");
  args.options.seed = static_cast<std::uint64_t>(args.seed);
  return {};
}

/// For an agent whose controller is elsewhere: a folder of its own, the same for all that work for that board
/// on this machine, so that two executions of a task cannot overlap here.
Result<BoardDirectory> remote_place(const std::string& endpoint) {
  const auto variable = [](const char* name) {
    return std::string(std::getenv(name) ? std::getenv(name) : "");
  };
  const std::string home = variable("HOME"), state = variable("XDG_STATE_HOME");
  if (home.empty() && state.empty())
    return fail(Errc::unavailable, "HOME is not set: there is no place for what tasks print");
  std::string name = endpoint;
  std::ranges::replace_if(
      name, [](unsigned char c) { return std::isalnum(c) == 0 && c != '.'; }, '_');
  const std::filesystem::path folder =
      std::filesystem::path(state.empty() ? home + "/.local/state" : state) / "bidboard" / name;
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (error) return fail(Errc::storage, "cannot make " + folder.string() + ": " + error.message());
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
      print_note({Note::Level::info, name + " " + text});
    };
  const Result<void> worked = run_agent(*board, args.options);
  if (!worked) return fail(worked.error());
  return Exit::ok;
}

void declare_work(Options& o, AgentArgs& args) {
  PlannedAgent& agent = args.options.agent;
  o.text("--exec", agent.exec, "CMD",
         "One process per task: the task on stdin, the result on stdout, exit 0 for success");
  o.text("--input", args.input, "text|json", "How the task reaches that command");
  o.text("--coprocess", args.coprocess, "CMD",
         "One long-lived process that speaks JSON lines (docs/coprocess.md)");
  o.flag("--no-bids", args.no_bids, "That process does not answer bid lines: standard bids, or --cost");
  o.flag("--simulate", args.simulate, "Do every task by waiting size / speed");
  o.flag("--allow-run", agent.profile.allow_run, "Execute the `run` commands that tasks bring along");
  o.text("--price-field", agent.price_field, "PATH", "Where a JSON result holds its price (total_cost_usd)");
  o.text("--tokens-field", agent.tokens_field, "PATH", "Where it holds its tokens (usage.output_tokens)");
  o.text("--result-field", agent.result_field, "PATH", "Which part of it is the result");
  o.number("--noise", args.options.noise, "X", "Simulated: 0.2 varies durations by 20 %");
  o.number("--failure-rate", args.options.failure_rate, "X", "Simulated: share of attempts that fail");
  o.integer("--seed", args.seed, "N", "Simulated: of noise and failures");
}

}  // namespace

Command agent_command() {
  return {"agent",
          "Agents",
          "Run an agent in the foreground, until TERM or ctrl-C",
          "",
          {{"bidboard agent --name claude --exec 'claude -p' --skill cpp=0.9",
            "a coding agent: title and body in, result out"},
           {"bidboard agent --name runner --allow-run --capacity 2",
            "executes tasks posted with --run, two at a time"},
           {"bidboard agent --name left --role manager --parent boss",
            "decides who under it does a task (strategy hierarchy); others name it as --parent"},
           {"bidboard agent --connect tcp://HOST:7070 --key laptop.key --name far --exec './solve'",
            "for a board on another machine (`bidboard keys` there)"},
           {"bidboard agent --name py --coprocess 'python3 examples/python_agent.py'",
            "an agent in any language"},
           {"bidboard agent --name c --exec './solve' --cost 'size / 2 + 1'", "bids by a formula"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<AgentArgs>();
            PlannedAgent& agent_options = args->options.agent;
            AgentProfile& profile = agent_options.profile;
            profile.name = "agent";
            o.text("--name", profile.name, "NAME", "Unique among the agents that are there");
            o.text("--role", args->role, "ROLE",
                   "specialist does tasks; manager and executive lead (strategy hierarchy)");
            o.text("--parent", profile.parent, "NAME", "The manager or executive above it");
            o.text("--project", profile.project, "NAME", "Works for this project only");
            o.texts("--skill,-s", args->skills, "NAME[=LEVEL]", "What it can do; levels above 0, 1 is full");
            o.number("--speed", profile.speed, "X", "Work it does per second, 1 is usual");
            o.integer("--capacity", args->capacity, "N", "Tasks at once");
            declare_work(o, *args);
            o.text("--bid", agent_options.bid, "CMD",
                   "Live bids: the task as JSON on stdin, a bid or refusal on stdout");
            o.text("--cost", profile.cost_formula, "FORMULA",
                   "Bids by a formula: seconds, over size, speed, level, needs ...");
            o.flag("--live", args->live, "Is asked for each bid, and answers size / speed / skill level");
            o.number("--price-per-second", profile.price_per_second, "X",
                     "Price in standard and formula bids");
            o.number("--set-up", profile.set_up, "SECONDS",
                     "Saved on each further task of a kind: bids for several together too");
            o.text("--directory", args->options.directory, "DIR",
                   "Where commands run [the folder that holds the board]");
            o.text("--connect", args->options.connect, "ADDRESS",
                   "The controller of another machine, tcp://HOST:PORT [BIDBOARD_CONNECT]");
            o.text("--key", args->options.key_file, "FILE", "What was handed over for it [BIDBOARD_KEY]");
            o.duration("--bid-timeout", args->options.bid_timeout, "TIME", "For an answer of --bid");
            o.duration("--patience", args->options.patience, "TIME", "Wait for a controller at the start");
            o.flag("--quiet", args->quiet, "Print errors only");
            return [args](const Globals& globals) { return agent(globals, *args); };
          }};
}

}  // namespace bidboard
