// agents: the list of agents.

#include "blackboard/fmt.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/fleet/preflight.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/notes.hpp"
#include "runtime/shell/pricing.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/supervisor_lock.hpp"

namespace bidboard {
namespace {

std::string listed(const std::vector<Skill>& skills) {
  std::string text;
  for (const Skill& skill : skills) {
    text += fmt::format("{}{}", text.empty() ? "" : " ", skill.name);
    if (skill.level != one) text += fmt::format("={}", format_micros(skill.level));
  }
  return text.empty() ? "-" : text;
}

struct AgentsArgs {
  std::string where;
  bool all = false;
  bool json = false;
  std::string action;
  bool call = false;
};

Result<Exit> list_agents(const Globals& globals, const AgentsArgs& args) {
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  Result<std::vector<Agent>> agents = board->agents();
  if (!agents) return fail(agents.error());
  if (!args.where.empty()) {
    const Result<std::vector<std::string>> ids = board->ids_where("agents", args.where);
    if (!ids) return fail(ids.error());
    std::erase_if(*agents, [&](const Agent& agent) {
      return std::find(ids->begin(), ids->end(), to_string(agent.id)) == ids->end();
    });
  } else if (!args.all) {
    std::erase_if(*agents, [](const Agent& agent) { return agent.state == AgentState::gone; });
  }
  const Result<std::map<std::string, Breaker>> resting = board->open_breakers();
  if (!resting) return fail(resting.error());
  std::map<AgentId, std::vector<TaskId>> running;
  for (const Agent& agent : *agents) {
    Result<std::vector<TaskId>> held = board->ids_under(keys::holdings_of(agent.id));
    if (!held) return fail(held.error());
    running[agent.id] = std::move(*held);
  }
  if (args.json) {
    Value list{Value::Array{}};
    for (const Agent& agent : *agents) {
      Value item = to_value(agent.profile);
      item.set("id", to_string(agent.id));
      item.set("state", name(agent.state));
      item.set("running", static_cast<std::int64_t>(running[agent.id].size()));
      item.set("finished", agent.finished);
      item.set("failed", agent.failed);
      item.set("reason", agent.reason);
      item.set("rests", board->rest_of(agent, *resting));
      list.push(std::move(item));
    }
    print_json(std::move(list));
    return Exit::ok;
  }
  Table table({"ID", "NAME", "STATE", "BUSY", "SPEED", "SKILLS", "DONE", "FAILED", "DOING"});
  for (const Agent& agent : *agents) {
    std::string doing;
    const std::vector<TaskId> held = running[agent.id];
    for (const TaskId id : held) doing += fmt::format("{}{}", doing.empty() ? "" : " ", id);
    if (agent.state == AgentState::gone) doing = agent.reason;
    if (const std::string rest = board->rest_of(agent, *resting); !rest.empty())
      doing += (doing.empty() ? "" : "; ") + rest;
    const Result<std::string> spent = board->beyond_budget(agent);
    if (!spent) return fail(spent.error());
    if (!spent->empty()) doing += (doing.empty() ? "" : "; ") + *spent;
    table.add({to_string(agent.id), agent.profile.name, std::string(name(agent.state)),
               fmt::format("{}/{}", held.size(), agent.profile.capacity), format_micros(agent.profile.speed),
               listed(agent.profile.skills), fmt::format("{}", agent.finished),
               fmt::format("{}", agent.failed), doing});
  }
  if (table.empty())
    say("No agents. `bidboard agent --name NAME --exec CMD` starts one; --all also lists agents that are "
        "gone.");
  else
    table.print();
  if (rehearses(board->directory()))
    hint("This is a rehearsal: stand-ins do the work of agents with a preset.");
  return Exit::ok;
}

/// Exit code 6: some agents cannot work.
Result<Exit> check(const Globals& globals, const AgentsArgs& args) {
  if (!caller().token.empty())
    return fail(Errc::refused, "a task's process may not start agents' programs (BIDBOARD_TOKEN is set)");
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  const Result<Settings> settings = load_settings(*board);
  if (!settings) return fail(settings.error());
  const StopSignal stop;
  const Result<std::vector<Preflight>> all = check_agents(
      settings->agents, board->home(), args.call ? PreflightDepth::call : PreflightDepth::version, stop);
  if (!all) return fail(all.error());
  Table table({"AGENTS", "PROGRAM", "VERSION", "STATE"});
  bool all_can_work = true;
  bool some_to_call = false;
  for (const Preflight& found : *all) {
    all_can_work = all_can_work && found.problem.empty();
    some_to_call = some_to_call || !found.version.empty();
    std::string state = found.problem;
    if (state.empty()) state = found.answer.empty() ? "ready" : fmt::format("answers: {}", found.answer);
    if (found.price > 0) state += fmt::format(" (price {})", format_micros(found.price));
    table.add({bidboard::listed(found.agents), found.program.empty() ? "-" : found.program,
               found.version.empty() ? "-" : found.version, state});
  }
  if (table.empty())
    say("{}/bidboard.yaml lists no agents; those of job files are started by `bidboard run`.", board->home());
  else
    table.print();
  for (std::string& doubt : doubts(*settings)) print_note({Note::Level::warning, std::move(doubt)});
  warn_of_unpriced(*settings);
  if (some_to_call && !args.call)
    hint("Whether their keys are valid shows `bidboard agents check --call`, with one small prompt each.");
  return all_can_work ? Exit::ok : Exit::unavailable;
}

Result<Exit> agents(const Globals& globals, const AgentsArgs& args) {
  if (args.action.empty() && args.call) return fail(Errc::invalid, "--call is for `bidboard agents check`");
  if (args.action.empty()) return list_agents(globals, args);
  if (args.action == "check" && (args.all || args.json || !args.where.empty()))
    return fail(Errc::invalid, "--all, --where and --json are for the list, not for `bidboard agents check`");
  if (args.action == "check") return check(globals, args);
  return fail(Errc::invalid,
              fmt::format("unknown action '{}'; use check, or none to list agents", args.action));
}

}  // namespace

Command agents_command() {
  return {"agents",
          "Agents",
          "List agents, or check whether those of bidboard.yaml can work",
          "`check` looks for the program of each agent as its tasks would find it, and asks for its version. "
          "With\n"
          "--call each preset also gets one small prompt, which shows that its key is valid; it costs what a "
          "short\n"
          "answer costs. Exit code 6: some cannot work.",
          {{"bidboard agents", "all that are not gone"},
           {"bidboard agents check --call", "before a long run: installed, and able to answer?"},
           {"bidboard agents --where \"running < capacity\"", "an SQL condition over the table `agents`"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<AgentsArgs>();
            o.flag("--all,-a", args->all, "Include agents that are gone");
            o.text("--where,-w", args->where, "SQL", "Only agents that match");
            o.flag("--json", args->json, "Print JSON");
            o.argument("ACTION", args->action, "check", false);
            o.flag("--call", args->call, "check: send each preset a small prompt");
            return [args](const Globals& globals) { return agents(globals, *args); };
          }};
}

}  // namespace bidboard
