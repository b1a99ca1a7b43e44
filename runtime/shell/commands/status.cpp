// status: what runs on a board, at a glance.

#include <algorithm>
#include <map>
#include <optional>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/supervisor_lock.hpp"
#include "runtime/shell/unserved.hpp"

namespace bidboard {
namespace {

struct Overview {
  std::optional<Status> serving;
  std::string listens;  ///< for other machines
  pid_t supervisor = 0;
  bool rehearses = false;
  std::map<std::string, std::size_t> tasks;  ///< by state
  std::size_t unserved = 0;                  ///< tasks that wait, and no connected agent can do them
  std::vector<Agent> agents;
};

Result<Overview> look(const BoardView& board) {
  Overview overview;
  overview.supervisor = supervisor_pid(board.directory());
  overview.rehearses = rehearses(board.directory());
  if (const auto writer = serving_writer(board.directory())) {
    overview.listens = writer->tcp;
    Result<Status> status = call_for<Status>(board.directory(), AskStatus{});
    if (!status) return fail(status.error());
    std::sort(status->agents.begin(), status->agents.end(), [&](const AgentStatus& a, const AgentStatus& b) {
      return in_natural_order(board.agent_name(a.agent), board.agent_name(b.agent));
    });
    overview.serving = std::move(*status);
  }
  const Result<std::vector<Task>> tasks = board.tasks();
  if (!tasks) return fail(tasks.error());
  Result<std::vector<Agent>> agents = board.agents();
  if (!agents) return fail(agents.error());
  const Result<KnownPrices> prices = KnownPrices::of(board);
  if (!prices) return fail(prices.error());
  for (const Task& task : *tasks) {
    overview.tasks[std::string(name(task.state))] += 1;
    const bool waits = task.state == TaskState::ready || task.state == TaskState::offered;
    if (waits && overview.serving && why_unserved(task.spec, task.attempts, *agents, *prices))
      overview.unserved += 1;
  }
  overview.agents = std::move(*agents);
  return overview;
}

void print_overview(const BoardView& board, const Overview& overview) {
  say("board       {}", board.directory().path);
  if (overview.serving) {
    const Status& s = *overview.serving;
    say("controller  process {}, up for {}, term {}, {}", s.pid, s.up_for, s.term,
        counted(s.seq.value, "event"));
    if (!overview.listens.empty()) say("listens     {}", overview.listens);
    say("strategy    {}{}", s.strategy, s.strategy == "auction" ? ", " + s.mechanism : std::string());
    say("agents      {} connected", s.agents.size());
    for (const AgentStatus& agent : s.agents)
      say("            {} {} running, last heartbeat {} ago", padded(board.agent_name(agent.agent), 14),
          agent.running, agent.silent_for);
    if (s.malformed > 0) say("malformed   {}", counted(s.malformed, "message"));
  } else {
    say("controller  none; commands work one at a time, agents need one (`bidboard up`)");
  }
  if (overview.supervisor != 0)
    say("supervisor  process {}{}", overview.supervisor,
        overview.rehearses ? ", a rehearsal: presets are played by stand-ins" : "");
  std::string counts;
  for (const auto& [state, count] : overview.tasks)
    counts += fmt::format("{}{} {}", counts.empty() ? "" : ", ", count, state);
  say("tasks       {}", counts.empty() ? "none" : counts);
  if (overview.unserved > 0)
    say("            {} that no connected agent can do; `bidboard explain TASK` says why",
        counted(overview.unserved, "task"));
}

Value to_json_value(const BoardView& board, const Overview& overview) {
  Value out{Value::Object{}};
  out.set("board", board.directory().path);
  out.set("serving", overview.serving.has_value());
  out.set("supervisor", overview.supervisor == 0 ? Value() : Value(std::int64_t{overview.supervisor}));
  out.set("rehearses", overview.rehearses);
  if (overview.serving) {
    const Status& s = *overview.serving;
    out.set("pid", s.pid);
    out.set("term", s.term.value);
    out.set("seq", s.seq.value);
    out.set("up_for", static_cast<double>(s.up_for.us) / 1e6);
    out.set("strategy", s.strategy);
    out.set("mechanism", s.mechanism);
    out.set("listens", overview.listens.empty() ? Value() : Value(overview.listens));
    Value agents{Value::Array{}};
    for (const AgentStatus& agent : s.agents) {
      Value item{Value::Object{}};
      item.set("name", board.agent_name(agent.agent));
      item.set("running", agent.running);
      item.set("silent_for", static_cast<double>(agent.silent_for.us) / 1e6);
      agents.push(std::move(item));
    }
    out.set("agents", std::move(agents));
  }
  Value tasks{Value::Object{}};
  for (const auto& [state, count] : overview.tasks) tasks.set(state, static_cast<std::int64_t>(count));
  out.set("tasks", std::move(tasks));
  out.set("unserved", static_cast<std::int64_t>(overview.unserved));
  return out;
}

Result<Exit> status(const Globals& globals, bool json) {
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  const Result<Overview> overview = look(*board);
  if (!overview) return fail(overview.error());
  if (json)
    print_json(to_json_value(*board, *overview));
  else
    print_overview(*board, *overview);
  return Exit::ok;
}

}  // namespace

Command status_command() {
  return {"status",
          "Board",
          "Show controller, agents, and the number of tasks by state",
          "",
          {{"bidboard status --json", "as JSON"}},
          [](Options& o) -> Action0 {
            auto json = std::make_shared<bool>(false);
            o.flag("--json", *json, "Print JSON");
            return [json](const Globals& globals) { return status(globals, *json); };
          }};
}

}  // namespace bidboard
