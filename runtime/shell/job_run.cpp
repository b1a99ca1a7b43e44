#include "runtime/shell/job_run.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/workforce.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/job_progress.hpp"
#include "runtime/shell/job_report.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr Micros default_critical_path = 5 * one;
constexpr std::int64_t default_agents = 4;
constexpr Duration start_patience = seconds(10);
/// Progress is redrawn after events, at most this often, and at least this often in case an event was missed.
constexpr Duration fastest_update = milliseconds(100);
constexpr Duration slowest_update = milliseconds(1000);

/// The board of the job. A temporary one is removed afterwards, unless it is kept on request.
class Site {
 public:
  static Result<Site> open(const Globals& globals, const std::string& project) {
    Result<BoardDirectory> found = find_board(globals.directory);
    if (found) return Site(*found, false);
    if (!globals.directory.empty()) return fail(found.error());
    std::error_code error;
    const fs::path temporary = fs::temp_directory_path(error);
    if (error)
      return fail(Errc::storage, "there is no folder for a temporary board: TMPDIR does not name a folder");
    std::string pattern = (temporary / "bidboard-run-XXXXXX").string();
    if (!::mkdtemp(pattern.data()))
      return fail(Errc::storage, fmt::format("cannot make a folder for a temporary board at {}: {}", pattern,
                                             std::strerror(errno)));
    Result<BoardDirectory> made = make_board_folder(pattern);
    if (!made) return fail(made.error());
    {
      const auto store = LmdbStore::open(made->path, {.create = true});
      if (!store) return fail(store.error());
    }
    Config config;
    config.project = project;
    if (const auto configured = call_for<Nothing>(*made, Configure{config}); !configured)
      return fail(configured.error());
    return Site(*made, true);
  }
  Site(Site&& other) noexcept : board(other.board), temporary(std::exchange(other.temporary, false)) {}
  ~Site() {
    std::error_code ignored;
    if (temporary) fs::remove_all(board.home(), ignored);
  }

  BoardDirectory board;
  bool temporary;

 private:
  Site(BoardDirectory b, bool t) : board(std::move(b)), temporary(t) {}
};

std::vector<PlannedAgent> workers(const Plan& plan, const JobOptions& options, bool board_is_served) {
  if (!plan.agents.empty()) return plan.agents;
  if (board_is_served && options.agents == 0 && !plan.traced)
    return {};  // the agents of the board do the work
  std::vector<PlannedAgent> made;
  for (std::int64_t i = 1; i <= (options.agents > 0 ? options.agents : default_agents); ++i) {
    PlannedAgent agent;
    agent.profile.name = fmt::format("worker{}", i);
    agent.profile.allow_run = !plan.traced;
    agent.executor = plan.traced ? ExecutorKind::simulated : ExecutorKind::command;
    made.push_back(std::move(agent));
  }
  return made;
}

class Job {
 public:
  Job(Site site, Plan plan, JobOptions options)
      : site_(std::move(site)),
        plan_(std::move(plan)),
        options_(std::move(options)),
        progress_(plan_.tasks.size(), options_.quiet || options_.json),
        supervisor_({}, [this](const std::string& text) { progress_.note(text); }) {}

  Result<Exit> run() {
    const bool was_served = serving_writer(site_.board).has_value();
    if (const Result<void> ready = prepare(was_served); !ready) return fail(ready.error());
    const Result<PostedPlan> posted = post_plan(plan_, [&](Post request) {
      return call_for<Posted>(site_.board, std::move(request), caller_here());
    });
    if (!posted) return fail(posted.error());
    job_.insert(posted->ids.begin(), posted->ids.end());
    Result<void> followed = follow();
    progress_.finish();
    if (!followed) return fail(followed.error());
    supervisor_.stop_all();
    Result<BoardView> board = BoardView::open(site_.board);
    if (!board) return fail(board.error());
    const Result<JobSummary> summary = summarise(*board, plan_, posted->ids);
    if (!summary) return fail(summary.error());
    if (options_.json)
      print_json(to_value(*summary));
    else
      print_summary(*summary);
    if (site_.temporary && options_.keep) {
      site_.temporary = false;
      hint("The board is kept: bidboard -C {} tasks", site_.board.home());
    }
    return summary->not_done.empty() ? Exit::ok : Exit::failed;
  }

 private:
  /// Starts what is missing: a controller, the job's strategy, and agents, and waits until they registered.
  Result<void> prepare(bool was_served) {
    if (!was_served)
      if (const Result<void> started = supervisor_.start(controller_child(site_.board, true)); !started)
        return started;
    if (const Result<Writer> writer = await_serving(site_.board, start_patience); !writer)
      return fail(writer.error());
    if (const Result<BoardView> board = BoardView::open(site_.board); board)
      progress_.start_after(board->snapshot().last_seq());
    if (const Result<void> set = set_strategy(was_served); !set) return set;
    const std::vector<PlannedAgent> agents = workers(plan_, options_, was_served);
    std::error_code gone;
    const std::string here = fs::current_path(gone).string();
    if (gone) return fail(Errc::not_found, "the current folder does not exist any more");
    for (const PlannedAgent& agent : agents)
      if (const Result<void> started = supervisor_.start(agent_child(site_.board, agent, here)); !started)
        return started;
    return await_agents(agents);
  }

  /// On a temporary board no rights are checked.
  CallOptions caller_here() const { return site_.temporary ? CallOptions{} : caller(); }

  Result<void> set_strategy(bool was_served) {
    Result<BoardView> board = BoardView::open(site_.board);
    if (!board) return fail(board.error());
    const Result<Config> known = board->config();
    if (!known) return fail(known.error());
    const Config before = *known;
    Config config = before;
    const auto choose = [](std::string& value, const std::string& planned, const std::string& said) {
      if (!planned.empty()) value = planned;
      if (!said.empty()) value = said;
    };
    choose(config.strategy, plan_.strategy, options_.strategy);
    choose(config.mechanism, plan_.mechanism, options_.mechanism);
    if (config == before) return {};
    if (was_served)
      return fail(
          Errc::conflict,
          fmt::format(
              "the board is served with strategy {} ({}), and a board has one strategy at a time; stop it "
              "with `bidboard down`, or leave out --strategy and --mechanism",
              before.strategy, before.mechanism));
    const Result<Nothing> configured = call_for<Nothing>(site_.board, Configure{config}, caller_here());
    if (!configured) return fail(configured.error());
    return {};
  }

  /// Waits for all agents, so that the first auction includes each of them.
  Result<void> await_agents(const std::vector<PlannedAgent>& agents) {
    const Instant give_up = read_clocks().mono + start_patience;
    while (true) {
      if (const Result<void> fine = supervisor_.look_after(); !fine) return fine;
      Result<BoardView> board = BoardView::open(site_.board);
      if (!board) return fail(board.error());
      const Result<std::vector<Agent>> known = board->agents();
      if (!known) return fail(known.error());
      const bool all = std::all_of(agents.begin(), agents.end(), [&](const PlannedAgent& planned) {
        return std::any_of(known->begin(), known->end(), [&](const Agent& agent) {
          return agent.profile.name == planned.profile.name && agent.state == AgentState::live;
        });
      });
      if (all) return {};
      if (read_clocks().mono > give_up)
        return fail(Errc::unavailable,
                    fmt::format("not all agents started; their logs are in {}", site_.board.run()));
      ::usleep(5'000);
    }
  }

  /// Until every task of the job has ended.
  Result<void> follow() {
    const StopSignal stop;
    const Instant begun = read_clocks().mono;
    while (true) {
      const std::optional<Writer> writer = serving_writer(site_.board);
      Result<std::unique_ptr<Feed>> feed =
          writer ? Feed::open(writer->feed) : Result<std::unique_ptr<Feed>>(nullptr);
      if (!feed) return fail(feed.error());
      while (true) {
        const Instant round = read_clocks().mono;
        if (const Result<void> fine = supervisor_.look_after(); !fine) return fine;
        if (const Result<bool> over = look(); !over || *over)
          return over ? Result<void>() : fail(over.error());
        if (stop.requested()) return fail(Errc::failed, fmt::format("interrupted; {}", left_behind()));
        if (options_.time_limit.us > 0 && round - begun > options_.time_limit)
          return fail(Errc::timed_out,
                      fmt::format("not finished within {}; {}", options_.time_limit, left_behind()));
        if (*feed) static_cast<void>((*feed)->wait(slowest_update));
        const Duration pause = fastest_update - (read_clocks().mono - round);
        if (pause.us > 0) ::usleep(static_cast<useconds_t>(pause.us));
        const std::optional<Writer> now = serving_writer(site_.board);
        if (!now || !writer || now->pid != writer->pid) break;  // another controller, another feed
      }
    }
  }

  std::string left_behind() const {
    return site_.temporary && !options_.keep
               ? "the temporary board was removed (--keep keeps it)"
               : fmt::format("the finished tasks are kept on the board in {}", site_.board.home());
  }

  Result<bool> look() {
    Result<BoardView> board = BoardView::open(site_.board);
    if (!board) return fail(board.error());
    if (const Result<void> shown = progress_.update(*board, job_); !shown) return fail(shown.error());
    for (const TaskId id : job_) {
      const Result<Task> task = board->task(id);
      if (!task) return fail(task.error());
      if (task->state == TaskState::waiting)
        return fail(Errc::failed, fmt::format("{} waits for a person: {}", id, task->reason));
      if (!is_over(task->state)) return false;
    }
    return true;
  }

  Site site_;
  Plan plan_;
  JobOptions options_;
  JobProgress progress_;
  Supervisor supervisor_;
  std::set<TaskId> job_;
};

}  // namespace

Result<Exit> run_job(const Globals& globals, Plan plan, const JobOptions& options) {
  if (plan.traced) {
    const Micros fitting =
        plan.critical_path > 0 ? div_micros(default_critical_path, plan.critical_path) : one;
    scale_sizes(plan, options.scale.value_or(std::max<Micros>(fitting, 1)));
  }
  Result<Site> site = Site::open(globals, plan.project.empty() ? plan.name : plan.project);
  if (!site) return fail(site.error());
  if (!options.json && !options.quiet)
    say("{}", wrapped(words("{}: {}, {} of work, the estimated critical path is {}",
                            coloured(Colour::bold, plan.name), counted(plan.tasks.size(), "task"),
                            Duration{plan.total_work}, Duration{plan.critical_path})));
  flush_out();  // if nobody can read the outcome, nothing begins
  Job job(std::move(*site), std::move(plan), options);
  return job.run();
}

}  // namespace bidboard
