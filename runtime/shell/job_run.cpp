#include "runtime/shell/job_run.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/agent_variables.hpp"
#include "runtime/fleet/rehearsal.hpp"
#include "runtime/fleet/workforce.hpp"
#include "runtime/jobs/variables.hpp"
#include "runtime/net/client.hpp"
#include "runtime/shell/board_changes.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/job_progress.hpp"
#include "runtime/shell/job_report.hpp"
#include "runtime/shell/job_site.hpp"
#include "runtime/shell/job_workers.hpp"
#include "runtime/shell/job_workflow.hpp"
#include "runtime/shell/pricing.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/supervisor_lock.hpp"
#include "runtime/shell/unserved.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr Micros default_critical_path = 5 * one;
/// Long: a busy machine starts many agents slowly.
constexpr Duration start_patience = seconds(30);
/// Progress is shown after events, at most this often; what takes longer is redrawn, and processes are looked
/// after, at least this often.
constexpr Duration fastest_update = milliseconds(100);
constexpr Duration slowest_update = milliseconds(1000);
/// A controller that ended is replaced sooner.
constexpr Duration unserved_max = seconds(3);

/// Serves the board while nobody else does: another job may have begun to, and end before this one. What
/// `up` serves is left to it.
ChildSpec stand_in_controller(const BoardDirectory& board) {
  ChildSpec child = controller_child(board, true);
  child.wanted = [board] { return !serving_writer(board) && supervisor_pid(board) == 0; };
  return child;
}

class Job {
 public:
  Job(JobSite site, Plan plan, JobOptions options)
      : site_(std::move(site)),
        plan_(std::move(plan)),
        options_(std::move(options)),
        progress_(plan_.tasks.size(), options_.quiet || options_.json),
        supervisor_({}, [this](const std::string& text) { progress_.note(text); }) {}

  Result<Exit> run() {
    if (const Result<void> found = check_agent_variables(plan_.agents); !found) return fail(found.error());
    if (const Result<void> begun = begin(); !begun) return fail(begun.error());
    const Result<void> followed = follow();
    if (!followed)
      tell_what_it_waits_for();
    else if (const Result<void> ended = await_begun_work(); !ended)
      progress_.note(ended.error().text);
    progress_.finish();
    supervisor_.stop_all();
    Result<BoardView> board = changes_.look();
    if (!board) return fail(board.error());
    const Result<JobSummary> summary = summarise(*board, plan_, job_.ids, begun_);
    if (!summary) return fail(summary.error());
    if (options_.json)
      print_json(to_value(*summary));
    else
      print_summary(*summary);
    const bool all_done = followed && summary->not_done.empty();
    site_.keep(options_.keep || !all_done);
    if (site_.temporary() && (options_.keep || !all_done))
      hint("The board is kept: bidboard -C {} tasks{}", site_.board().home(),
           followed && !all_done && !plan_.source.empty() ? "; " + command("run") + " goes on" : "");
    if (!followed) return fail(followed.error());
    return all_done ? Exit::ok : Exit::failed;
  }

 private:
  /// Starts what is missing (a controller, the job's strategy, agents), and posts what is not on the board
  /// yet.
  Result<void> begin() {
    const bool is_beside_jobs = !running_jobs(site_.board()).empty();  // before this one is among them
    // A job without a file, from stdin, goes on nowhere: it is none but itself.
    const std::string source = plan_.source.empty() ? fmt::format("process {}", ::getpid()) : plan_.source;
    Result<Descriptor> taken = site_.take_job(source + '\n' + plan_.name);
    if (!taken) return fail(taken.error());
    job_lock_ = std::move(*taken);
    const bool was_served = serving_writer(site_.board()).has_value();
    const bool has_others = was_served && (supervisor_pid(site_.board()) != 0 || !is_beside_jobs);
    Result<std::vector<PlannedAgent>> chosen = job_workers(site_.board(), plan_, options_, has_others);
    if (!chosen) return fail(chosen.error());
    std::vector<PlannedAgent> agents = std::move(*chosen);
    stands_by_ = !was_served || !agents.empty();
    if (stands_by_)
      if (const Result<void> started = supervisor_.start(stand_in_controller(site_.board())); !started)
        return started;
    if (const Result<Writer> writer = await_serving(site_.board(), start_patience, supervisor_, stop_);
        !writer)
      return stop_.requested() ? interrupted() : fail(writer.error());
    if (const Result<void> set = set_strategy(was_served); !set) return set;
    const bool own = (!plan_.agents.empty() || plan_.traced) && !plan_.shared &&
                     std::ranges::none_of(agents, &PlannedAgent::serves_board);
    for (PlannedTask& task : plan_.tasks) task.spec.exclusive = own;

    const Send send = [this](RequestBody body) {
      return call(site_.board(), std::move(body), site_.caller());
    };
    const Result<JobWorkflow> workflow = find_workflow(send);
    if (!workflow) return fail(workflow.error());
    if (const std::string words = in_words(plan_, *workflow); !words.empty()) progress_.note(words);
    if (const Result<void> started = start_agents(std::move(agents), workflow->id); !started) return started;
    if (const Result<void> served = check_served(*workflow); !served) return served;
    Result<PostedPlan> posted = post_rest(plan_, *workflow, send);
    if (!posted) return fail(posted.error());
    job_ = std::move(*posted);
    job_tasks_ = {job_.ids.begin(), job_.ids.end()};
    site_.keep(true);  // from here on it holds work
    return {};
  }

  static Result<void> interrupted() { return fail(Errc::failed, "interrupted; nothing was posted"); }

  /// Events from here on are shown as progress.
  Result<JobWorkflow> find_workflow(const Send& send) {
    const Result<BoardView> board = BoardView::open(site_.board());
    if (!board) return fail(board.error());
    Result<JobWorkflow> workflow = open_workflow(*board, plan_, options_.fresh, send);
    if (workflow) progress_.start_after(board->snapshot().last_seq(), workflow->earlier.done.size());
    return workflow;
  }

  /// Starts them and waits until all have registered, so that the first auction includes each of them.
  Result<void> start_agents(std::vector<PlannedAgent> agents, WorkflowId workflow) {
    std::error_code gone;
    const std::string here = fs::current_path(gone).string();
    if (gone) return fail(Errc::not_found, "the current folder does not exist any more");
    if (const Result<void> free = check_names(site_.board(), agents, options_); !free) return free;
    for (PlannedAgent& agent : agents) {
      if (!agent.serves_board && !agent.profile.workflow) agent.profile.workflow = workflow;
      if (const Result<void> started = supervisor_.start(agent_child(site_.board(), agent, here)); !started)
        return started;
    }
    return await_agents(agents);
  }

  /// Nothing is posted that would wait for ever, unless that was asked for.
  Result<void> check_served(const JobWorkflow& workflow) {
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < plan_.tasks.size(); ++i)
      if (!workflow.earlier.done.contains(workflow.earlier.ids[i])) positions.push_back(i);
    const Result<BoardView> board = BoardView::open(site_.board());
    if (!board) return fail(board.error());
    const Result<std::string> told = find_unserved(*board, workflow.id, positions);
    if (!told) return fail(told.error());
    if (unserved_.empty()) return {};
    if (options_.wait) {
      progress_.note("waiting for agents, since " + *told);
      return {};
    }
    return fail(Errc::unavailable,
                *told +
                    "\nadd such an agent to the file, start one with `bidboard agent`, or wait for one with "
                    "`bidboard run --wait`");
  }

  /// Those of the tasks at these positions that no agent can do are `unserved_` from here on. Returns what
  /// people are told of them: "no agent can do 1 task of this job:\n  'port': w needs cobol, has pascal".
  Result<std::string> find_unserved(const BoardView& board, WorkflowId workflow,
                                    const std::vector<std::size_t>& positions) {
    constexpr std::size_t most_told = 5;
    const Result<std::vector<Agent>> agents = board.agents();
    if (!agents) return fail(agents.error());
    const Result<Config> config = board.config();
    if (!config) return fail(config.error());
    const Result<KnownPrices> prices = KnownPrices::of(board);
    if (!prices) return fail(prices.error());
    std::string told;
    unserved_.clear();
    for (const std::size_t i : positions) {
      TaskSpec spec = plan_.tasks[i].spec;
      spec.workflow = workflow;
      if (spec.project.empty()) spec.project = config->project;
      const std::optional<std::string> why = why_unserved(spec, 0, *agents, *prices);
      if (!why) continue;
      unserved_.push_back(i);
      if (unserved_.size() <= most_told) told += fmt::format("\n  '{}': {}", spec.name, *why);
    }
    if (unserved_.size() > most_told) told += fmt::format("\n  and {} more", unserved_.size() - most_told);
    return fmt::format("no agent can do {} of this job:{}", counted(unserved_.size(), "task"), told);
  }

  /// At the end of a job that waited for agents: what it still waits for, and why. A board that cannot be
  /// read is told afterwards, with the outcome.
  void tell_what_it_waits_for() {
    if (unserved_.empty()) return;
    const Result<BoardView> board = changes_.look();
    if (!board) return;
    std::vector<std::size_t> positions;
    for (const std::size_t i : unserved_)
      if (const Result<Task> task = board->task(job_.ids[i]);
          task && !is_over(task->state) && !is_held(task->state))
        positions.push_back(i);
    const Result<std::string> told = find_unserved(*board, job_.workflow, positions);
    if (told && !unserved_.empty()) progress_.note("still waiting for agents, since " + *told);
  }

  Result<void> set_strategy(bool was_served) {
    Result<BoardView> board = BoardView::open(site_.board());
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
    const Result<Nothing> configured = call_for<Nothing>(site_.board(), Configure{config}, site_.caller());
    if (!configured) return fail(configured.error());
    return {};
  }

  Result<void> look_after() {
    // First: processes end because the board is gone, and must not be started again on another one.
    if (const Result<void> there = changes_.check(); !there) return there;
    tell_if_unserved();
    return supervisor_.look_after();
  }

  void tell_if_unserved() {
    const Instant now = read_clocks().mono;
    if (stands_by_ || serving_writer(site_.board()))
      served_ = now, told_unserved_ = false;
    else if (now - served_ > unserved_max && !std::exchange(told_unserved_, true))
      progress_.note("nobody serves the board any more; the job goes on after `bidboard up`");
  }

  Result<void> await_agents(const std::vector<PlannedAgent>& agents) {
    const Instant give_up = read_clocks().mono + start_patience;
    bool changed = true;
    while (true) {
      if (stop_.requested()) return interrupted();
      if (const Result<void> fine = look_after(); !fine) return fine;
      if (changed) {
        const Result<bool> all = have_registered(agents);
        if (!all || *all) return all ? Result<void>() : fail(all.error());
      }
      if (read_clocks().mono > give_up)
        return fail(Errc::unavailable,
                    fmt::format("not all agents started; their logs are in {}", site_.board().run()));
      changed = changes_.await(fastest_update);
    }
  }

  Result<bool> have_registered(const std::vector<PlannedAgent>& agents) {
    Result<BoardView> board = changes_.look();
    if (!board) return fail(board.error());
    const Result<std::vector<Agent>> known = board->agents();
    if (!known) return fail(known.error());
    return std::all_of(agents.begin(), agents.end(), [&](const PlannedAgent& planned) {
      return std::any_of(known->begin(), known->end(), [&](const Agent& agent) {
        return agent.profile.name == planned.profile.name && agent.state == AgentState::live &&
               agent.profile.pid == supervisor_.pid_of(agent.profile.name);
      });
    });
  }

  /// Until every task of the job has ended. The board is read only when it has changed.
  Result<void> follow() {
    if (options_.time_limit.us > 0) give_up_ = read_clocks().mono + options_.time_limit;
    bool changed = true;
    while (true) {
      const Instant round = read_clocks().mono;
      if (const Result<void> fine = look_after(); !fine) return fine;
      if (changed) {
        const Result<bool> over = look();
        if (!over || *over) return over ? Result<void>() : fail(over.error());
      } else {
        progress_.redraw();
      }
      if (stop_.requested()) return fail(Errc::failed, fmt::format("interrupted; {}", left_behind()));
      if (round >= give_up_)
        return fail(Errc::timed_out,
                    fmt::format("not finished within {}; {}", options_.time_limit, left_behind()));
      changed = changes_.await(slowest_update);
      const Duration pause = fastest_update - (read_clocks().mono - round);
      if (pause.us > 0) ::usleep(static_cast<useconds_t>(pause.us));
    }
  }

  /// What the job's agents hold when it has ended, by their names: agents with `serves: board` do the board's
  /// tasks, too.
  Result<std::map<std::string, std::set<TaskId>>> begun_work() {
    const Result<BoardView> board = changes_.look();
    if (!board) return fail(board.error());
    const Result<std::vector<Agent>> agents = board->agents();
    if (!agents) return fail(agents.error());
    std::map<std::string, std::set<TaskId>> begun;
    for (const Agent& agent : *agents) {
      const pid_t pid = supervisor_.pid_of(agent.profile.name);
      if (agent.state != AgentState::live || pid == 0 || agent.profile.pid != pid) continue;
      const Result<std::vector<TaskId>> held = board->ids_under(keys::holdings_of(agent.id));
      if (!held) return fail(held.error());
      begun[agent.profile.name].insert(held->begin(), held->end());
    }
    return begun;
  }

  /// Until what was begun at the job's end has ended, or the job's time. An agent stops as soon as it has
  /// none of that; one that has may begin more in its other slots, which is given back.
  Result<void> await_begun_work() {
    auto left = begun_work();
    if (!left) return fail(left.error());
    std::vector<std::string> names;
    for (const auto& [agent, tasks] : *left)
      for (const TaskId task : tasks) names.push_back(fmt::format("{}", task));
    if (!names.empty())
      progress_.note(fmt::format(
          "the job is done; its agents finish {} of the board (ctrl-C gives back what is not done)",
          listed(names)));
    while (true) {
      std::erase_if(*left, [&](const auto& of_agent) {
        if (of_agent.second.empty()) supervisor_.stop(of_agent.first);
        return of_agent.second.empty();
      });
      if (left->empty() || stop_.requested() || read_clocks().mono >= give_up_) return {};
      changes_.await(slowest_update);
      if (const Result<void> fine = look_after(); !fine) return fine;
      const auto held = begun_work();
      if (!held) return fail(held.error());
      for (auto& [agent, tasks] : *left) {
        const auto now = held->find(agent);
        std::erase_if(tasks, [&](TaskId task) { return now == held->end() || !now->second.contains(task); });
      }
    }
  }

  /// "`bidboard -C DIR run job.yaml`"
  std::string command(std::string_view run) const {
    const std::string on = site_.temporary() ? fmt::format(" -C {}", site_.board().home()) : "";
    return fmt::format("`bidboard{} {} {}`", on, run, options_.file);
  }

  /// What a job that did not end left, and how it goes on.
  std::string left_behind() const {
    std::string text = fmt::format("{} of {} done, and kept on the board in {}", progress_.done(),
                                   counted(plan_.tasks.size(), "task"), site_.board().home());
    if (!plan_.source.empty())
      text += fmt::format(". {} goes on; {} cancels the rest and begins anew", command("run"),
                          command("run --fresh"));
    return text;
  }

  /// Whether the job is over, with all that its tasks posted.
  Result<bool> look() {
    const Result<BoardView> board = changes_.look();
    if (!board) return fail(board.error());
    if (const Result<void> shown = progress_.update(*board, job_tasks_); !shown) return fail(shown.error());
    // What was over is not read again: a task that starts over is among the open ones of the workflow.
    for (; over_ < job_.ids.size(); ++over_) {
      const TaskId id = job_.ids[over_];
      const Result<Task> task = board->task(id);
      if (!task) return fail(task.error());
      if (task->state == TaskState::waiting)
        return fail(Errc::failed, fmt::format("{} waits for a person: {}", id, task->reason));
      if (!is_over(task->state)) return false;
    }
    const Result<Workflow> workflow = board->workflow(job_.workflow);
    if (!workflow) return fail(workflow.error());
    return workflow->open == 0;
  }

  JobSite site_;
  Descriptor job_lock_;
  BoardChanges changes_{site_.board()};
  Plan plan_;
  JobOptions options_;
  JobProgress progress_;
  const StopSignal stop_;
  Supervisor supervisor_;
  PostedPlan job_;
  std::set<TaskId> job_tasks_;         ///< the same ids
  std::vector<std::size_t> unserved_;  ///< positions in the plan: no agent could do them when it was looked
  std::size_t over_ = 0;               ///< so many of job_.ids, from the first on, have ended
  const WallTime begun_ = read_clocks().wall;
  Instant served_ = read_clocks().mono;  ///< when a controller was seen last
  bool told_unserved_ = false;
  Instant give_up_ = never;  ///< by --time-limit
  bool stands_by_ = false;   ///< it serves the board when nobody else does
};

}  // namespace

Result<Exit> run_job(const Globals& globals, Plan plan, const JobOptions& options) {
  if (plan.traced) {
    const Micros fitting =
        plan.critical_path > 0 ? div_micros(default_critical_path, plan.critical_path) : one;
    scale_sizes(plan, options.scale.value_or(std::max<Micros>(fitting, 1)));
  }
  std::error_code gone;
  const std::string folder = fs::absolute(options.file, gone).parent_path().string();
  for (PlannedAgent& agent : plan.agents) resolve_paths(agent, folder);
  if (options.rehearse) {
    const Result<std::string> rehearsed = rehearse(plan.agents, options.file);
    if (!rehearsed) return fail(rehearsed.error());
    if (!options.json && !options.quiet) hint("{}", *rehearsed);
  }
  Result<JobSite> site = JobSite::open(globals, plan.project.empty() ? plan.name : plan.project);
  if (!site) return fail(site.error());
  const bool tasks_have_budgets =
      std::ranges::any_of(plan.tasks, [](const PlannedTask& task) { return task.spec.budget > 0; });
  if (const auto priced = use_board_prices(site->board(), plan.agents, tasks_have_budgets); !priced)
    return fail(priced.error());
  if (!options.json && !options.quiet)
    say("{}", wrapped(words("{}: {}, {} of work, the estimated critical path is {}",
                            coloured(Colour::bold, plan.name), counted(plan.tasks.size(), "task"),
                            Duration{plan.total_work}, Duration{plan.critical_path})));
  flush_out();  // if nobody can read the outcome, nothing begins
  Job job(std::move(*site), std::move(plan), options);
  return job.run();
}

}  // namespace bidboard
