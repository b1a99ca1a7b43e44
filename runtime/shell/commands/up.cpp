// up, down: a board with its controller and agents.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <limits>

#include "agents/guard/descriptor.hpp"
#include "agents/worktrees/merging.hpp"
#include "agents/worktrees/pushing.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/agent_variables.hpp"
#include "runtime/fleet/preflight.hpp"
#include "runtime/fleet/rehearsal.hpp"
#include "runtime/fleet/workforce.hpp"
#include "runtime/home/board_place.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/jobs/variables.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/job_site.hpp"
#include "runtime/shell/notes.hpp"
#include "runtime/shell/pricing.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/supervisor_lock.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

/// For the controller to answer, then for each further agent to connect: a busy machine starts many slowly.
constexpr Duration start_patience = seconds(30);
constexpr Duration stop_patience = seconds(30);
/// How often it is checked whether all agents have connected.
constexpr Duration look_interval = milliseconds(20);

std::string settings_file(const BoardDirectory& board) { return board.home() + "/bidboard.yaml"; }

struct UpArgs {
  bool detach = false;
  bool rehearse = false;
};

/// `up --detach`: the background process reports to the one that was called: "up", an error, or nothing if it
/// ended.
struct Detached {
  bool is_parent = false;
  Descriptor reports;
  void report(const std::string& text) {
    if (reports) static_cast<void>(!::write(reports.get(), text.data(), text.size()));
    reports.reset();
  }
};

std::string all_of(const Descriptor& file) {
  std::string text;
  char buffer[4096];
  ssize_t n = 0;
  while ((n = ::read(file.get(), buffer, sizeof buffer)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0) text.append(buffer, static_cast<std::size_t>(n));
  return text;
}

/// Continues `up` in a background process; returns in the parent when the board is served and its agents have
/// connected.
Result<Detached> leave_terminal(const BoardDirectory& board) {
  const std::string log = board.run() + "/up.log";
  int ends[2];
  if (::pipe(ends) != 0) return fail(Errc::unavailable, "cannot make a pipe");
  Descriptor receives(ends[0]), reports(ends[1]);
  flush_out();
  const pid_t pid = ::fork();
  if (pid < 0) return fail(Errc::unavailable, "cannot start a process");
  if (pid > 0) {
    reports.reset();
    const std::string reported = all_of(receives);
    if (reported == "up") return Detached{true, {}};
    if (!reported.empty()) return fail(Errc::unavailable, reported);
    return fail(Errc::failed, fmt::format("the board did not start; see {}", log));
  }
  ::setsid();
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::dup2(out, STDERR_FILENO);
  return Detached{false, std::move(reports)};
}

/// Names of the agents whose current process has not registered yet.
Result<std::vector<std::string>> missing_agents(const BoardDirectory& board, const Settings& settings,
                                                const Supervisor& supervisor) {
  Result<BoardView> view = BoardView::open(board);
  if (!view) return fail(view.error());
  const Result<std::vector<Agent>> known = view->agents();
  if (!known) return fail(known.error());
  std::vector<std::string> missing;
  for (const PlannedAgent& planned : settings.agents) {
    const std::string& name = planned.profile.name;
    const bool here = std::any_of(known->begin(), known->end(), [&](const Agent& agent) {
      return agent.profile.name == name && agent.state == AgentState::live &&
             agent.profile.pid == supervisor.pid_of(name);
    });
    if (!here) missing.push_back(name);
  }
  return missing;
}

/// What the caller of a detached `up` is told as soon as it is known: "up", or which agents are missing when
/// none has connected for start_patience.
class Arrivals {
 public:
  Arrivals(const BoardDirectory& board, const Settings& settings, const Supervisor& supervisor)
      : board_(board), settings_(settings), supervisor_(supervisor) {}

  /// The report, once; nothing while agents are awaited, and after the report.
  Result<std::optional<Note>> look() {
    const Result<std::vector<std::string>> missing = missing_agents(board_, settings_, supervisor_);
    if (!missing) return fail(missing.error());
    if (missing->size() < fewest_missing_) patience_over_ = read_clocks().mono + start_patience;
    fewest_missing_ = std::min(fewest_missing_, missing->size());
    if (!missing->empty() && read_clocks().mono <= patience_over_) return std::nullopt;
    reported_ = true;
    if (missing->empty())
      return Note{Note::Level::info, fmt::format("up: strategy {}, {}", settings_.config.strategy,
                                                 counted(settings_.agents.size(), "agent"))};
    return Note{Note::Level::warning,
                fmt::format("the board is up, but these agents have not connected, and no other did in the "
                            "last {}: {}; their logs are in {}",
                            start_patience, listed(*missing), board_.run())};
  }
  bool reported() const { return reported_; }

 private:
  const BoardDirectory& board_;
  const Settings& settings_;
  const Supervisor& supervisor_;
  std::size_t fewest_missing_ = std::numeric_limits<std::size_t>::max();
  Instant patience_over_;
  bool reported_ = false;
};

/// Restarts controller and agents as needed, until a stop is requested.
Result<void> supervise(const BoardDirectory& board, const Settings& settings, Supervisor& supervisor,
                       const StopSignal& stop, Detached& detached) {
  Arrivals arrivals(board, settings, supervisor);
  BoardPlace place(board);
  while (!stop.requested()) {
    // Before look_after(): processes end because the board is gone, and must not be started again.
    if (const Result<void> there = place.check(); !there) return there;
    if (const Result<void> fine = supervisor.look_after(); !fine) return fine;
    if (!arrivals.reported()) {
      const Result<std::optional<Note>> report = arrivals.look();
      if (!report) return fail(report.error());
      if (*report) {
        print_note(**report);
        detached.report((*report)->level == Note::Level::info ? "up" : (*report)->text);
      }
    }
    wait_readable({supervisor.descriptor(), stop.descriptor()},
                  arrivals.reported() ? BoardPlace::look_interval : look_interval);
  }
  return {};
}

/// Starts the controller and, once it serves and is configured, the agents.
Result<void> start_board(const BoardDirectory& board, Settings& settings, Supervisor& supervisor,
                         const StopSignal& stop) {
  if (const Result<void> started =
          supervisor.start(controller_child(board, settings.durable, settings.listen));
      !started)
    return started;
  if (const auto writer = await_serving(board, start_patience, supervisor, stop); !writer)
    return fail(writer.error());
  if (settings.config.project.empty()) settings.config.project = fs::path(board.home()).filename().string();
  // Without a file the board keeps its configuration.
  if (fs::exists(settings_file(board)))
    if (const auto set = call_for<Nothing>(board, Configure{settings.config}, caller()); !set)
      return fail(set.error());
  for (const PlannedAgent& agent : settings.agents)
    if (const Result<void> started = supervisor.start(agent_child(board, agent, board.home())); !started)
      return started;
  if (settings.merge.automatic)
    if (const Result<void> started = supervisor.start(merging_child(board)); !started) return started;
  if (settings.agents.empty())
    print_note({Note::Level::warning,
                fmt::format("{} lists no agents; start some with `bidboard agent`", settings_file(board))});
  return {};
}

/// Whether `merge: {auto: true}` can work.
Result<void> check_merging(const BoardDirectory& board, const MergeSettings& merge) {
  if (!merge.automatic) return {};
  const Result<void> can_work = [&]() -> Result<void> {
    if (!merge.push.empty()) {
      const Result<Pushing> pushing = Pushing::to(board.home(), merge.push, true);
      return pushing ? Result<void>() : fail(pushing.error());
    }
    const Result<Merging> merging =
        Merging::look_at({board.home(), merge.into, merge.check, board.path + "/worktrees"});
    return merging ? Result<void>() : fail(merging.error());
  }();
  if (can_work) return {};
  return fail(can_work.error().code,
              fmt::format("merge.auto in {}: {}", settings_file(board), can_work.error().text));
}

/// Others work meanwhile; without its program an agent rests (Outage::missing_binary).
void warn_of_missing_programs(const BoardDirectory& board, const Settings& settings, const StopSignal& stop) {
  const Result<std::vector<Preflight>> all =
      check_agents(settings.agents, board.home(), PreflightDepth::program, stop);
  if (!all) return print_note({Note::Level::warning, all.error().text});
  for (const Preflight& found : *all)
    if (!found.problem.empty())
      print_note({Note::Level::warning, fmt::format("{}: {}", listed(found.agents), found.problem)});
}

/// Said to whoever starts the board, not to a log that is read in the morning. Errors: a stop was requested;
/// those of check_merging().
Result<void> look_before(const BoardDirectory& board, const Settings& settings) {
  if (const Result<void> can_merge = check_merging(board, settings.merge); !can_merge) return can_merge;
  for (std::string& doubt : doubts(settings)) print_note({Note::Level::warning, std::move(doubt)});
  warn_of_unpriced(settings);
  const StopSignal stop;
  warn_of_missing_programs(board, settings, stop);
  if (stop.requested()) return fail(Errc::failed, "interrupted before anything was started");
  return {};
}

/// Controller and agents, from their start to their end.
Result<void> run_board(const BoardDirectory& board, Settings settings, bool rehearses, Detached& detached) {
  const Result<Descriptor> lock = take_supervisor_lock(board, rehearses);
  if (!lock) return fail(lock.error());
  const StopSignal stop;
  Supervisor supervisor(settings.restart, [](const std::string& text) {
    print_note({Note::Level::warning, text});
  });
  if (const Result<void> begun = start_board(board, settings, supervisor, stop); !begun && !stop.requested())
    return begun;
  if (const Result<void> fine = supervise(board, settings, supervisor, stop, detached); !fine) return fine;
  supervisor.stop_all();
  print_note({Note::Level::info, "down"});
  return {};
}

/// "`bidboard run` (process 17) works"; empty: no job is under way.
std::string jobs_of(const BoardDirectory& board) {
  std::vector<std::string> pids;
  for (const pid_t pid : running_jobs(board)) pids.push_back(fmt::format("{}", pid));
  if (pids.empty()) return {};
  const bool is_one = pids.size() == 1;
  return fmt::format("`bidboard run` ({} {}) {}", is_one ? "process" : "processes", listed(pids),
                     is_one ? "works" : "work");
}

Result<Exit> up(const Globals& globals, const UpArgs& args) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  Result<Settings> settings = load_settings(*board);
  if (!settings) return fail(settings.error());
  std::string rehearsed;
  if (args.rehearse) {
    Result<std::string> made = rehearse(settings->agents, settings_file(*board));
    if (!made) return fail(made.error());
    rehearsed = std::move(*made);
  }
  if (const Result<void> found = check_agent_variables(settings->agents); !found) return fail(found.error());
  if (supervisor_pid(*board) != 0)
    return fail(Errc::conflict, "`bidboard up` is running already; see `bidboard status`");
  if (const auto writer = serving_writer(*board)) {
    const std::string jobs = jobs_of(*board);
    const std::string then = jobs.empty()
                                 ? "stop it with `bidboard down`"
                                 : fmt::format("{} on it: wait for that, or stop it with ctrl-C there", jobs);
    return fail(Errc::conflict,
                fmt::format("a controller serves this board already (process {}); {}", writer->pid, then));
  }
  if (args.rehearse) hint("{}", rehearsed);
  if (const Result<void> ready = look_before(*board, *settings); !ready) return fail(ready.error());
  Detached detached;
  if (args.detach) {
    Result<Detached> left = leave_terminal(*board);
    if (!left) return fail(left.error());
    if (left->is_parent) {
      say("The board is up with {}. See `bidboard status`; stop it with `bidboard down`.",
          counted(settings->agents.size(), "agent"));
      return Exit::ok;
    }
    detached = std::move(*left);
  }
  if (const Result<void> ran = run_board(*board, std::move(*settings), args.rehearse, detached); !ran) {
    detached.report(ran.error().text);
    return fail(ran.error());
  }
  return Exit::ok;
}

Result<Exit> down(const Globals& globals) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  const std::optional<Writer> stopping = serving_writer(*board);
  const pid_t supervisor = supervisor_pid(*board);
  if (supervisor != 0) {
    if (!caller().token.empty())
      return fail(Errc::refused, "a task's process may not stop the board (BIDBOARD_TOKEN is set)");
    ::kill(supervisor, SIGTERM);
  } else if (stopping) {
    const Result<Nothing> stopped = call_for<Nothing>(*board, Shutdown{}, caller());
    if (!stopped) return fail(stopped.error());
  } else {
    const std::string jobs = jobs_of(*board);
    if (jobs.empty())
      say("Nothing is running.");
    else
      say("Nothing serves the board now, but {} on it; stop it with ctrl-C there.", jobs);
    return Exit::ok;
  }
  // `up` ends after its controller, and a job that goes on may serve the board again at once, or did so
  // before.
  const auto still_serves = [&] {
    if (supervisor != 0) return false;
    const std::optional<Writer> writer = serving_writer(*board);
    return writer && writer->pid == stopping->pid;
  };
  const Instant give_up = read_clocks().mono + stop_patience;
  while (supervisor_pid(*board) != 0 || still_serves()) {
    if (read_clocks().mono > give_up)
      return fail(Errc::timed_out,
                  fmt::format("it did not stop within {}; see the logs in {}", stop_patience, board->run()));
    ::usleep(10'000);
  }
  if (const std::string jobs = jobs_of(*board); !jobs.empty())
    say("What served the board is down. But {} on it, and a job with agents of its own serves the board "
        "itself; "
        "stop it with ctrl-C there.",
        jobs);
  else
    say("The board is down. Its data is kept.");
  return Exit::ok;
}

}  // namespace

Result<Settings> load_settings(const BoardDirectory& board) {
  const std::string file = settings_file(board);
  if (!fs::exists(file)) return read_settings("", file, known_names());
  const Result<std::string> text = read_text("@" + file);
  if (!text) return fail(text.error());
  Result<Settings> settings = read_settings(*text, file, known_names());
  if (settings)
    for (PlannedAgent& agent : settings->agents) resolve_paths(agent, board.home());
  return settings;
}

Command up_command() {
  return {
      "up",
      "Board",
      "Start a controller and the agents of bidboard.yaml",
      "Reads bidboard.yaml of the board's folder once, at its start: its settings replace those of the "
      "board, and its "
      "agents run "
      "their commands\n"
      "in that folder. An agent that ends is started again, at most as often as `restart` allows; beyond "
      "that "
      "`up` stops everything\n"
      "and reports why. Logs are in .bidboard/run/.\n"
      "With --rehearse, agents with a preset (docs/coding-agents.md) are played by stand-ins, which need no "
      "account: these follow\n"
      "lines `write FILE: TEXT` and `append FILE: TEXT` of a task, and else write notes/tN.md. Their tasks "
      "count as done:\n"
      "rehearse on a board of its own.",
      {{"bidboard up", "in the foreground, until Ctrl-C"},
       {"bidboard up --rehearse", "to try a team without an account"},
       {"bidboard up --detach", "in the background, until `bidboard down`"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<UpArgs>();
        o.flag("--detach,-d", args->detach, "Run in the background");
        o.flag("--rehearse", args->rehearse, "Play the clients of presets by stand-ins");
        return [args](const Globals& globals) { return up(globals, *args); };
      }};
}

Command down_command() {
  return {"down",
          "Board",
          "Stop the controller and the agents of `up`",
          "",
          {{"bidboard down", "stops agents first, then the controller"}},
          [](Options&) -> Action0 { return [](const Globals& globals) { return down(globals); }; }};
}

}  // namespace bidboard
