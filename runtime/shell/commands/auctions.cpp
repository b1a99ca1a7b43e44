// bids, explain, graph, auction solve: the reasons of awards, and the dependency graph.
#include <algorithm>

#include "auction/clearing.hpp"
#include "auction/eligibility.hpp"
#include "auction/offline.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "blackboard/task_graph.hpp"
#include "blackboard/text/readable.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/unserved.hpp"

namespace bidboard {
namespace {

/// The outcome of one auction of a task.
struct Decision {
  Auction record;
  Epoch epoch;         ///< of the award; 0: there were no bids
  WallTime ask_again;  ///< if there were no bids
};

Decision decision_in(const Event& event) {
  if (const auto* failed = std::get_if<AuctionFailed>(&event.body))
    return {failed->decision, {}, failed->ask_again};
  const auto& awarded = std::get<TaskAwarded>(event.body);
  return {awarded.decision, awarded.epoch, {}};
}

/// All decided auctions of a task, first to last, except those whose events were removed by `compact`.
Result<std::vector<Decision>> decisions(const BoardView& board, TaskId task) {
  std::vector<std::uint64_t> auctions;
  const Snapshot& snapshot = board.snapshot();
  const Result<void> read =
      snapshot.scan(keys::decisions_of(task), {}, [&](std::string_view key, std::string_view) {
        auctions.push_back(read_big_endian(key, key.size() - 8));
        return true;
      });
  if (!read) return fail(read.error());
  std::vector<Decision> found;
  for (const std::uint64_t id : auctions) {
    const auto seq = snapshot.get(keys::auction(AuctionId{id}));
    if (!seq) return fail(seq.error());
    if (!*seq) continue;
    const auto bytes = snapshot.get(keys::event(Seq{read_big_endian(**seq, 0)}));
    if (!bytes) return fail(bytes.error());
    if (!*bytes) continue;
    const Result<Event> event = unseal<Event>(**bytes);
    if (!event) return fail(event.error());
    if (auction_in(*event)) found.push_back(decision_in(*event));
  }
  return found;
}

void print_bids(const BoardView& board, const Auction& auction) {
  if (auction.bids.empty()) return;
  Table table({"", "AGENT", "SECONDS", "BELIEVED", "PRICE", "SURE", "WAIT", "SCORE"});
  for (const RecordedBid& bid : auction.bids)
    table.add({bid.agent == auction.winner ? coloured(Colour::green, "→") : Shown(" "),
               board.agent_name(bid.agent), format_micros(bid.seconds), format_micros(bid.corrected_seconds),
               format_micros(bid.price), format_micros(bid.confidence), format_micros(bid.wait),
               format_micros(bid.score)});
  table.print();
  if (auction.bid_count > auction.bids.size()) say("  and {} more", auction.bid_count - auction.bids.size());
}

std::string names(const BoardView& board, const RecordedRefusal& refusal) {
  std::string text;
  for (const AgentId agent : refusal.agents)
    text += fmt::format("{}{}", text.empty() ? "" : ", ", board.agent_name(agent));
  if (refusal.count > refusal.agents.size())
    text += fmt::format(" and {} more", refusal.count - refusal.agents.size());
  return text;
}

void print_refusals(const BoardView& board, const std::vector<RecordedRefusal>& refusals) {
  for (const RecordedRefusal& refusal : refusals) {
    if (refusal.details.empty()) {
      say("  {}: {} ({})", refusal.reason, names(board, refusal), refusal.detail);
      continue;
    }
    for (std::size_t i = 0; i < refusal.agents.size(); ++i)
      say("  {}: {} ({})", refusal.reason, board.agent_name(refusal.agents[i]), detail_of(refusal, i));
    if (refusal.count > refusal.agents.size())
      say("  {}: {} more", refusal.reason, refusal.count - refusal.agents.size());
  }
}

/// An auction without bids. `open`: it is the last one, and the task still waits.
void explain_failure(const BoardView& board, const Decision& failed, bool open, WallTime now) {
  say("\n{} {}, by {}", coloured(Colour::bold, words("{}:", failed.record.id)),
      ago(failed.record.closed_at, now), failed.record.mechanism);
  say("{}.", failed.record.why);
  print_refusals(board, failed.record.refusals);
  if (open && failed.ask_again > now)
    say("The agents are asked again in {}.", failed.ask_again - now);
  else if (open)
    say("The agents are asked again as soon as a controller serves and agents are connected.");
}

void explain_award(const BoardView& board, const Decision& award, WallTime now) {
  const Auction& decision = award.record;
  say("\n{} awarded to {} {}, by {}", coloured(Colour::bold, words("epoch {}:", award.epoch)),
      board.agent_name(decision.winner), ago(decision.closed_at, now), decision.mechanism);
  if (!decision.why.empty()) say("{}.", decision.why);
  if (!decision.bundle.empty()) {
    std::string others;
    for (const TaskId task : decision.bundle)
      if (task != decision.task) others += fmt::format(" {}", task);
    say("Won by one bid together with{}. Each task has an equal share of the bid, and they run one after "
        "the other.",
        others);
  }
  if (decision.bid_count > 0) {
    say("{}{}:", counted(decision.bid_count, "bid"),
        decision.calibrated ? ", calibrated by what each agent delivered before" : "");
    print_bids(board, decision);
    const Duration took = decision.closed_at - decision.opened_at;
    if (took.us > 0) say("The auction took {}.", took);
    if (decision.price != 0)
      say("The {} mechanism sets the price at {}.", decision.mechanism, format_micros(decision.price));
  }
  if (!decision.refusals.empty()) {
    say("Agents that did not bid:");
    print_refusals(board, decision.refusals);
  }
}

/// The agent's answer in an auction without bids; empty: none is recorded.
std::string last_answer(const Decision* failed, AgentId agent) {
  if (!failed) return {};
  for (const RecordedRefusal& refusal : failed->record.refusals)
    for (std::size_t i = 0; i < refusal.agents.size(); ++i)
      if (refusal.agents[i] == agent)
        return fmt::format("{} when last asked: {}", refusal.reason, detail_of(refusal, i));
  return {};
}

std::string could_take(const Config& config, const AgentProfile& agent) {
  const Duration after = waits_for_others(config, agent);
  if (after.us == 0) return "could take it";
  return fmt::format("could take it when it has waited for {} (account {} comes after others)", after,
                     agent.account);
}

/// Why a task that no agent holds still waits. `failed`: its last auction, if that had no bids.
Result<void> explain_waiting(const BoardView& board, const Task& task, const Decision* failed) {
  if (task.state == TaskState::blocked) {
    Shown needs = "";
    for (const Need& need : task.spec.needs) {
      const Result<Task> needed = board.task(need.task);
      if (needed && !is_over(needed->state))
        needs +=
            words("{}{} ({}, {})", needs.empty() ? "" : ", ", need.task, needed->state, needed->spec.title);
    }
    say("\nIt waits for {}.", needs);
    return {};
  }
  for (const std::string& hold : holds_in_words(task, read_clocks().wall))
    say("\nIt is held back: {}.", hold);
  if (task.state != TaskState::ready && task.state != TaskState::offered) return {};
  const Result<std::vector<Agent>> agents = board.agents();
  if (!agents) return fail(agents.error());
  const Result<std::map<std::string, Breaker>> resting = board.open_breakers();
  if (!resting) return fail(resting.error());
  const Result<Config> config = board.config();
  if (!config) return fail(config.error());
  const Result<KnownPrices> prices = KnownPrices::of(board);
  if (!prices) return fail(prices.error());
  say("\nWhich agents could take it now:");
  Table table({"AGENT", "STATE", "BUSY", "ANSWER"});
  for (const Agent& agent : *agents) {
    if (agent.state != AgentState::live) continue;
    const Result<std::vector<TaskId>> held = board.ids_under(keys::holdings_of(agent.id));
    if (!held) return fail(held.error());
    const std::size_t busy = held->size();
    auto against = ineligible(task, agent);
    if (!against) against = prices->against(task.spec, task.attempts, agent);
    const std::string answer = last_answer(failed, agent.id);
    const std::string rest = board.rest_of(agent, *resting);
    const Result<std::string> spent = board.beyond_budget(agent);
    if (!spent) return fail(spent.error());
    table.add({agent.profile.name, std::string(name(agent.state)),
               fmt::format("{}/{}", busy, agent.profile.capacity),
               against                         ? fmt::format("no: {}", against->detail)
               : !rest.empty()                 ? "no: " + rest
               : !spent->empty()               ? "no: " + *spent
               : !answer.empty()               ? answer
               : busy < agent.profile.capacity ? could_take(*config, agent.profile)
                                               : "could, but is busy"});
  }
  if (table.empty())
    say("  none: no agent is running. Start some with `bidboard up` or `bidboard agent`.");
  else
    table.print();
  return {};
}

/// The edits up to that time that have not been told yet; `next` is moved behind them.
void explain_edits(const BoardView& board, const Task& task, std::size_t& next, WallTime until,
                   WallTime now) {
  for (; next < task.edits.size() && task.edits[next].at <= until; ++next) {
    const EditNote& edit = task.edits[next];
    say("\n{} {} by {}: {}.", coloured(Colour::bold, "edited"), ago(edit.at, now), board.author(edit.agent),
        edit.what);
  }
}

Result<Exit> explain(const Globals& globals, const std::string& id_text, bool json) {
  const Result<TaskId> id = read_task_id(id_text);
  if (!id) return fail(id.error());
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  const Result<Task> task = board->task(*id);
  if (!task) return fail(task.error());
  const Result<std::vector<Decision>> decided = decisions(*board, *id);
  if (!decided) return fail(decided.error());
  if (json) {
    Value list{Value::Array{}};
    for (const Decision& decision : *decided) {
      Value item = to_value(decision.record);
      item.set("epoch", decision.epoch.value);
      if (!decision.record.winner) item.set("ask_again", from_micros(decision.ask_again.us));
      list.push(std::move(item));
    }
    print_json(std::move(list));
    return Exit::ok;
  }
  say("{} {} is {}.", *id, coloured(Colour::bold, task->spec.title), state_and_reason(*task));
  const WallTime now = read_clocks().wall;
  const bool waits = task->state == TaskState::ready || task->state == TaskState::offered;
  std::size_t next_edit = 0;
  for (const Decision& decision : *decided) {
    explain_edits(*board, *task, next_edit, decision.record.closed_at, now);
    if (!decision.record.winner) {
      explain_failure(*board, decision, waits && &decision == &decided->back(), now);
      continue;
    }
    explain_award(*board, decision, now);
    for (const AttemptFailure& failure : task->failures)
      if (failure.epoch == decision.epoch)
        say("{}",
            coloured(Colour::yellow, words("That attempt ended without a result: {}.", failure.reason)));
  }
  explain_edits(*board, *task, next_edit, now, now);
  const bool unsold = !decided->empty() && !decided->back().record.winner;
  if (const Result<void> said = explain_waiting(*board, *task, unsold ? &decided->back() : nullptr); !said)
    return fail(said.error());
  return Exit::ok;
}

Result<Exit> bids(const Globals& globals, const std::string& id_text, bool json) {
  const Result<TaskId> id = read_task_id(id_text);
  if (!id) return fail(id.error());
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  if (const Result<Task> task = board->task(*id); !task) return fail(task.error());
  const Result<std::vector<Decision>> decided = decisions(*board, *id);
  if (!decided) return fail(decided.error());
  Value list{Value::Array{}};
  for (const Decision& decision : *decided) {
    const Auction& auction = decision.record;
    if (!json) {
      const std::string end =
          auction.winner ? fmt::format("epoch {}", decision.epoch) : std::string("no bids");
      say("{}, {}, {}", auction.id, end, auction.mechanism);
      print_bids(*board, auction);
      print_refusals(*board, auction.refusals);
    }
    for (const RecordedBid& bid : auction.bids) {
      Value item{Value::Object{}};
      item.set("auction", to_string(auction.id));
      item.set("task", to_string(*id));
      item.set("agent", board->agent_name(bid.agent));
      item.set("seconds", from_micros(bid.seconds));
      item.set("price", from_micros(bid.price));
      item.set("confidence", from_micros(bid.confidence));
      item.set("score", from_micros(bid.score));
      item.set("won", bid.agent == auction.winner);
      list.push(std::move(item));
    }
  }
  if (json)
    print_json(std::move(list));
  else if (decided->empty())
    say("{} has not been awarded by an auction; see `bidboard explain {}`", *id, *id);
  return Exit::ok;
}

const char* colour_of(TaskState state) {
  switch (state) {
    case TaskState::done:
      return "palegreen";
    case TaskState::running:
    case TaskState::awarded:
      return "lightblue";
    case TaskState::failed:
    case TaskState::quarantined:
      return "salmon";
    case TaskState::ready:
    case TaskState::offered:
      return "khaki";
    default:
      return "lightgrey";
  }
}

struct GraphArgs {
  std::string workflow;
  bool critical = false;
};

Result<Exit> graph(const Globals& globals, const GraphArgs& args) {
  Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  Result<std::vector<Task>> tasks = board->tasks();
  if (!tasks) return fail(tasks.error());
  if (!args.workflow.empty()) {
    const auto workflow = parse_id<WorkflowId>(args.workflow);
    if (!workflow)
      return fail(Errc::invalid,
                  fmt::format("'{}' is not a workflow id; write for example w3", args.workflow));
    std::erase_if(*tasks, [&](const Task& task) { return task.spec.workflow != *workflow; });
  }
  std::vector<TaskGraph::Node> nodes;
  std::vector<TaskGraph::Edge> edges;
  std::map<TaskId, const Task*> by_id;
  for (const Task& task : *tasks) {
    by_id[task.id] = &task;
    nodes.push_back({task.id, std::max<Micros>(task.spec.size, 1),
                     fmt::format("{}\n{}", task.id, readable(task.spec.title)), colour_of(task.state)});
    for (const Need& need : task.spec.needs) edges.push_back({task.id, need.task});
  }
  const TaskGraph graph(nodes, edges);
  if (!args.critical) {
    write_out(graph.dot());
    return Exit::ok;
  }
  Micros length = 0;
  Table table({"TASK", "SIZE", "STATE", "TITLE"});
  for (const TaskId id : graph.critical_path()) {
    const Task& task = *by_id.at(id);
    length += task.spec.size;
    table.add({to_string(id), format_micros(task.spec.size), shown_state(task.state), task.spec.title});
  }
  table.print();
  say("the estimated critical path is {}", Duration{length});
  return Exit::ok;
}

struct SolveArgs {
  std::string verb;
  std::string file;
  std::string mechanism = "optimal";
  bool json = false;  ///< changes nothing: it prints JSON anyway
};

Result<Exit> solve(const SolveArgs& args) {
  if (args.verb != "solve") return fail(Errc::invalid, "unknown action; use: bidboard auction solve FILE");
  const Result<std::string> text = read_text(args.file == "-" ? "-" : "@" + args.file);
  if (!text) return fail(text.error());
  const Result<Value> document = parse_json(*text);
  if (!document) return fail_in(args.file, document.error());
  const Result<Mechanism> mechanism = find_mechanism(args.mechanism);
  if (!mechanism) return fail(mechanism.error());
  const Result<OfflineAuction> auction = read_auction(*document);
  if (!auction) return fail_in(args.file, auction.error());
  if (const std::size_t bundles = auction->problem.bundles.size(); bundles > 0 && *mechanism != combinatorial)
    hint(
        "bidboard: {} ignores bids for several tasks ({} in this file); use --mechanism combinatorial for "
        "them",
        args.mechanism, bundles);
  write_out(to_json(write_outcome(*auction, args.mechanism, (*mechanism)(auction->problem)), 2) + "\n");
  return Exit::ok;
}

Command about_task(const std::string& verb, const std::string& summary, const std::string& example,
                   Result<Exit> (*act)(const Globals&, const std::string&, bool)) {
  return {verb,
          "Insight",
          summary,
          "",
          {{fmt::format("bidboard {} t12", verb), example}},
          [act](Options& o) -> Action0 {
            auto id = std::make_shared<std::string>();
            auto json = std::make_shared<bool>(false);
            o.task("TASK", *id);
            o.flag("--json", *json, "Print JSON");
            return [id, json, act](const Globals& globals) { return act(globals, *id, *json); };
          }};
}

}  // namespace

Command explain_command() {
  return about_task(
      "explain",
      "Explain a task's awards: which agents bid what, which could not and why, why the winner won",
      "why this agent has it, or why no agent has it", explain);
}

Command bids_command() {
  return about_task("bids", "List the bids of a task's awards", "the bids of each award", bids);
}

Command graph_command() {
  return {"graph",
          "Insight",
          "Print the dependency graph as Graphviz text, or its critical path",
          "",
          {{"bidboard graph | dot -Tsvg > graph.svg", "draw the graph with Graphviz"},
           {"bidboard graph --critical", "the longest chain of work, which bounds the makespan"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<GraphArgs>();
            o.text("--workflow", args->workflow, "W", "Only the tasks of this workflow");
            o.flag("--critical", args->critical, "Print the critical path instead");
            return [args](const Globals& globals) { return graph(globals, *args); };
          }};
}

Command auction_command() {
  return {
      "auction",
      "Insight",
      "Clear an auction offline: auction solve FILE",
      "FILE holds {\"tasks\": [\"t1\"], \"agents\": [{\"id\": \"a1\", \"capacity\": 1}],\n"
      "\"bids\": [{\"task\": \"t1\", \"agent\": \"a1\", \"cost\": 52}]}. A bid for several tasks together "
      "has \"tasks\" instead.\n"
      "The answer has awards (task, agent, cost, price), total_cost, and, for mechanisms that prove their "
      "outcome, a\n"
      "certificate with the gap to the optimum. `bidboard help strategies` describes the mechanisms.",
      {{"bidboard auction solve bids.json --mechanism vickrey", "clear by the second-price rule"},
       {"bidboard auction solve bids.json -m combinatorial", "consider bids for several tasks"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<SolveArgs>();
        o.argument("solve", args->verb, "The word solve");
        o.argument("FILE", args->file, "JSON file, or - for stdin");
        o.text("--mechanism,-m", args->mechanism, "NAME", listed(mechanism_names()));
        o.flag("--json", args->json, "Accepted for uniformity: the answer is always JSON");
        return [args](const Globals&) { return solve(*args); };
      }};
}

}  // namespace bidboard
