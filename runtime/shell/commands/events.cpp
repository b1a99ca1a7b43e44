// log, watch, output: past events, new events, and the output of a task.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>

#include "agents/executors/surroundings.hpp"
#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/format/to_value.hpp"
#include "blackboard/spending.hpp"
#include "blackboard/text/readable.hpp"
#include "blackboard/text/utf8.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/shell/board_changes.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

constexpr Duration output_interval = milliseconds(100);
constexpr std::size_t narrowest_gist = 10;
constexpr std::size_t widest_gist = 120;

std::string local_time(WallTime at) {
  const std::time_t seconds_part = static_cast<std::time_t>(at.us / 1'000'000);
  std::tm local{};
  ::localtime_r(&seconds_part, &local);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
  char out[48];
  std::snprintf(out, sizeof out, "%s.%03d", text, static_cast<int>(at.us / 1000 % 1000));
  return out;
}

Value event_to_json(const BoardView& board, Seq seq, const Event& event) {
  Value item{Value::Object{}};
  item.set("seq", seq.value);
  item.set("at", static_cast<double>(event.at.us) / 1e6);
  item.set("kind", kind(event));
  item.set("task", task_of(event) ? Value(to_string(task_of(event))) : Value());
  item.set("agent", agent_of(event) ? Value(board.agent_name(agent_of(event))) : Value());
  item.set("body", to_value(event.body));
  return item;
}

/// A short description of an event.
std::string gist(const Event& event) {
  return std::visit(
      [](const auto& e) -> std::string {
        using E = std::decay_t<decltype(e)>;
        if constexpr (std::is_same_v<E, TaskPosted>)
          return fmt::format("{} ({})", e.task.spec.title, e.task.state);
        else if constexpr (std::is_same_v<E, TaskMoved> || std::is_same_v<E, TaskReopened>)
          return e.reason.empty() ? fmt::format("{}", e.to) : fmt::format("{}: {}", e.to, e.reason);
        else if constexpr (std::is_same_v<E, TaskAwarded>)
          return fmt::format("epoch {}, {}: {}", e.epoch, e.decision.mechanism, e.decision.why);
        else if constexpr (std::is_same_v<E, AuctionFailed>)
          return fmt::format("{}: {}", e.decision.mechanism, e.decision.why);
        else if constexpr (std::is_same_v<E, AttemptEnded>)
          return e.outage == Outage::none ? fmt::format("{}: {}", e.to, e.reason)
                                          : fmt::format("{}, {}: {}", e.to, e.outage, e.reason);
        else if constexpr (std::is_same_v<E, TaskProgressed>)
          return progress_in_words(e.fraction, e.text);
        else if constexpr (std::is_same_v<E, TaskFinished>)
          return e.result.substr(0, 80);
        else if constexpr (std::is_same_v<E, AgentRegistered>)
          return e.agent.profile.name;
        else if constexpr (std::is_same_v<E, AgentLeft>)
          return e.reason;
        else if constexpr (std::is_same_v<E, RequestRefused>)
          return fmt::format("{}: {}", e.who, e.reason);
        else if constexpr (std::is_same_v<E, WorkflowPosted>)
          return e.workflow.name;
        else if constexpr (std::is_same_v<E, DiscoveryPosted>)
          return fmt::format("{}: {}", e.discovery.kind, e.discovery.title);
        else if constexpr (std::is_same_v<E, BreakerMoved>)
          return e.breaker.state == BreakerState::open
                     ? fmt::format("{} rests: {}, {}", e.breaker.name, e.breaker.outage, e.breaker.why)
                     : fmt::format("{} is {}", e.breaker.name, e.breaker.state);
        else if constexpr (std::is_same_v<E, BudgetRaised>)
          return fmt::format("{} by {}", e.scope, in_words(e.by));
        else if constexpr (std::is_same_v<E, TaskHeld>)
          return fmt::format("{}: {}", e.hold.kind, e.hold.why);
        else if constexpr (std::is_same_v<E, AttemptSettled>)
          return fmt::format("price {}, {}", format_micros(e.price), counted(e.tokens, "token"));
        else if constexpr (std::is_same_v<E, WorkSaved>)
          return fmt::format("{} at {}", e.work.branch, e.work.commit);
        else if constexpr (std::is_same_v<E, TaskEdited>)
          return e.what;
        else if constexpr (std::is_same_v<E, CommentPosted>)
          return fmt::format("{}: {}", e.comment.id, e.comment.text.substr(0, 200));
        else if constexpr (std::is_same_v<E, ConfigSet>)
          return fmt::format("{}, {}", e.config.strategy, e.config.mechanism);
        else
          return {};
      },
      event.body);
}

Shown colour_kind(std::string_view kind) {
  if (kind == "task_finished") return coloured(Colour::green, kind);
  if (kind == "attempt_ended" || kind == "agent_left" || kind == "request_refused" ||
      kind == "auction_failed")
    return coloured(Colour::yellow, kind);
  if (kind == "task_awarded") return coloured(Colour::cyan, kind);
  return kind;
}

struct LogArgs {
  std::string task;
  std::int64_t from = 0;
  std::int64_t limit = 50;
  bool all = false;
  bool json = false;
  bool follow = false;
};

/// A failure was counted, and nothing else happened.
bool only_counts(const Event& event) {
  const auto* moved = std::get_if<BreakerMoved>(&event.body);
  return moved && moved->breaker.state == BreakerState::closed && !moved->breaker.failed.empty();
}

struct LogFilter {
  TaskId task;
  bool all = false;
  bool wants(const Event& event) const {
    if (task && task_of(event) != task) return false;
    return all || !(std::holds_alternative<Replied>(event.body) ||
                    std::holds_alternative<ClientForgotten>(event.body) ||
                    std::holds_alternative<Calibrated>(event.body) ||
                    std::holds_alternative<LevelsRaised>(event.body) ||
                    std::holds_alternative<AgentSeen>(event.body) || only_counts(event));
  }
};

void print_event(const BoardView& board, Seq seq, const Event& event, bool json) {
  if (json) {
    print_json_line(event_to_json(board, seq, event));
    return;
  }
  const std::string task = task_of(event) ? to_string(task_of(event)) : "-";
  const std::string agent = agent_of(event) ? board.agent_name(agent_of(event)) : "-";
  const Shown line = words("{:>6} {} {} {} {} ", seq.value, coloured(Colour::dim, local_time(event.at)),
                           padded(colour_kind(kind(event)), 17), padded(task, 5), padded(agent, 10));
  // On a terminal one line each, so that no word is broken at its edge.
  const std::size_t used = display_width(line);
  const std::size_t left = is_terminal()
                               ? std::max(narrowest_gist, terminal_width() - std::min(used, terminal_width()))
                               : widest_gist;
  say("{}{}", line, cut_to(gist(event), left));
}

/// Visits the events from `from` on; returns the number of the last one.
Result<Seq> each_event(const BoardView& board, Seq from,
                       const std::function<void(Seq, const Event&)>& visit) {
  Seq last{from.value == 0 ? 0 : from.value - 1};
  Result<void> fine;
  const Result<void> read = board.snapshot().scan(std::string(1, keys::log_letter), keys::event(from),
                                                  [&](std::string_view key, std::string_view bytes) {
                                                    const Result<Event> event = unseal<Event>(bytes);
                                                    if (!event)
                                                      fine = fail(event.error());
                                                    else
                                                      visit(last = {read_big_endian(key, 1)}, *event);
                                                    return fine.has_value();
                                                  });
  if (!fine) return fail(fine.error());
  if (!read) return fail(read.error());
  return last;
}

Result<Seq> print_log(const BoardView& board, const LogArgs& args, const LogFilter& filter) {
  if (args.from > 0)
    return each_event(board, {static_cast<std::uint64_t>(args.from)}, [&](Seq seq, const Event& event) {
      if (filter.wants(event)) print_event(board, seq, event, args.json);
    });
  std::vector<std::pair<Seq, Event>> kept;
  const Result<Seq> last = each_event(board, {1}, [&](Seq seq, const Event& event) {
    if (!filter.wants(event)) return;
    kept.emplace_back(seq, event);
    if (args.limit > 0 && kept.size() > 2 * static_cast<std::size_t>(args.limit))
      kept.erase(kept.begin(), kept.end() - args.limit);
  });
  if (args.limit > 0 && kept.size() > static_cast<std::size_t>(args.limit))
    kept.erase(kept.begin(), kept.end() - args.limit);
  for (const auto& [seq, event] : kept) print_event(board, seq, event, args.json);
  return last;
}

Result<Exit> show_log(const Globals& globals, const LogArgs& args) {
  LogFilter filter{{}, args.all};
  if (!args.task.empty()) {
    const Result<TaskId> id = read_task_id(args.task);
    if (!id) return fail(id.error());
    filter.task = *id;
  }
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  BoardChanges changes(*directory);
  Seq seen;
  {
    Result<BoardView> board = changes.look();
    if (!board) return fail(board.error());
    const Result<Seq> last = print_log(*board, args, filter);
    if (!last) return fail(last.error());
    seen = *last;
  }
  const StopSignal stop;
  while (args.follow && !stop.requested()) {
    flush_out();
    if (!changes.await(seconds(2))) continue;
    Result<BoardView> board = changes.look();
    if (!board) return fail(board.error());
    const Result<Seq> last = each_event(*board, seen.next(), [&](Seq seq, const Event& event) {
      if (filter.wants(event)) print_event(*board, seq, event, args.json);
    });
    if (!last) return fail(last.error());
    seen = *last;
  }
  return Exit::ok;
}

/// Without the beginning of a character at its end.
std::string_view without_cut_character(std::string_view text) {
  for (std::size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const std::string_view tail = text.substr(text.size() - back);
    const auto first = static_cast<unsigned char>(tail.front());
    if (first >= 0xc2 && utf8_length(tail) == 0) return text.substr(0, text.size() - back);
    if (first < 0x80 || first >= 0xc2) break;
  }
  return text;
}

struct OutputArgs {
  std::string task;
  std::int64_t epoch = 0;
  bool follow = false;
  bool raw = false;
};

/// Copies the new part of the file to stdout. False: the file does not exist. To a terminal, control
/// characters go escaped, unless `raw`. `grows`: a character that is cut off at its end waits for the rest.
bool copy_new(const std::string& path, off_t& at, bool raw, bool grows) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return false;
  char buffer[64 * 1024];
  ssize_t n = 0;
  while ((n = ::pread(file.get(), buffer, sizeof buffer, at)) > 0) {
    std::string_view part(buffer, static_cast<std::size_t>(n));
    if (is_terminal() && !raw) {
      if (grows || part.size() == sizeof buffer) part = without_cut_character(part);
      if (part.empty()) break;
      write_out(readable_lines(part));
    } else {
      write_out(part);
    }
    at += static_cast<off_t>(part.size());
  }
  flush_out();
  return true;
}

std::string why_no_output(const BoardDirectory& directory, const Task& task, Epoch epoch) {
  if (epoch.value == 0) return ": it was never awarded";
  const Result<BoardView> board = BoardView::open(directory);
  const Result<std::vector<Agent>> agents = board ? board->agents() : fail(board.error());
  for (const Agent& agent : agents.value_or(std::vector<Agent>{}))
    if (agent.id == task.holder && !agent.key.empty())
      return fmt::format(": {} ran it on another machine, which keeps the output", agent.profile.name);
  return "";
}

Result<Exit> output(const Globals& globals, const OutputArgs& args) {
  const Result<TaskId> id = read_task_id(args.task);
  if (!id) return fail(id.error());
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  const StopSignal stop;
  off_t at = 0;
  Epoch shown{static_cast<std::uint64_t>(std::max<std::int64_t>(0, args.epoch))};
  BoardChanges changes(*directory);
  Result<Task> task = Task{};
  for (bool changed = true;; changed = changes.await(output_interval)) {
    if (changed) {
      const Result<BoardView> board = changes.look();
      if (!board) return fail(board.error());
      task = board->task(*id);
      if (!task) return fail(task.error());
    }
    if (args.epoch == 0 && task->epoch != shown) {
      shown = task->epoch;
      at = 0;
      if (args.follow && shown.value > 1) hint("--- epoch {}", shown);
    }
    const bool goes_on = !is_over(task->state) && task->state != TaskState::waiting;
    const bool follows = args.follow && goes_on && !stop.requested();
    const bool exists =
        shown.value != 0 && copy_new(directory->path + "/" + output_name(*id, shown), at, args.raw, follows);
    if (!follows) {
      if (!exists && !args.follow)
        return fail(Errc::not_found,
                    fmt::format("{} has no output{}", *id, why_no_output(*directory, *task, shown)));
      return Exit::ok;
    }
  }
}

void declare_log(Options& o, LogArgs& args) {
  o.text("--task,-t", args.task, "TASK", "Only events of this task");
  o.flag("--all,-a", args.all, "Include bookkeeping events");
  o.flag("--json", args.json, "Print one JSON object per line");
}

}  // namespace

Command log_command() {
  return {"log",
          "Insight",
          "Print the event log",
          "",
          {{"bidboard log --task t12", "the events of one task"},
           {"bidboard log --from 1 --json", "all events, as JSON lines"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<LogArgs>();
            declare_log(o, *args);
            o.integer("--from", args->from, "SEQ", "All events from this number on");
            o.integer("--limit,-n", args->limit, "N", "Without --from: the last N events; 0: all");
            o.flag("--follow,-f", args->follow, "Continue with new events");
            return [args](const Globals& globals) { return show_log(globals, *args); };
          }};
}

Command watch_command() {
  return {"watch",
          "Insight",
          "Print new events as they happen, until Ctrl-C",
          "",
          {{"bidboard watch", "the same as log --follow --limit 5"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<LogArgs>();
            args->limit = 5;
            args->follow = true;
            declare_log(o, *args);
            return [args](const Globals& globals) { return show_log(globals, *args); };
          }};
}

Command output_command() {
  return {"output",
          "Insight",
          "Print the output of a task's process",
          "A pipe or a file receives the exact bytes; on a terminal, control characters are shown escaped.",
          {{"bidboard output t12 -f", "follow it until the task ends"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<OutputArgs>();
            o.task("TASK", args->task);
            o.integer("--epoch", args->epoch, "E", "Output of this epoch; 0: the last one");
            o.flag("--follow,-f", args->follow, "Continue until the task has ended");
            o.flag("--raw", args->raw, "The exact bytes on a terminal too, as for colours");
            return [args](const Globals& globals) { return output(globals, *args); };
          }};
}

}  // namespace bidboard
