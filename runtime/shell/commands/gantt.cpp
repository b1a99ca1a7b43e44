// gantt: who worked on what, and when: on this board, or in a run of an experiment.
#include <algorithm>
#include <map>

#include "blackboard/events.hpp"
#include "blackboard/fmt.hpp"
#include "experiments/drivers/result_folder.hpp"
#include "experiments/facts.hpp"
#include "experiments/gantt.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

using How = GanttBar::How;

struct GanttArgs {
  std::string job;
  std::string results;
  std::string cell;
  bool html = false;
  bool svg = false;
  bool text = false;
};

/// A stretch of work in wall-clock time.
struct Stretch {
  TaskId task;
  AgentId agent;
  WallTime begin;
  WallTime end;
  How how = How::accepted;
};

/// Attempts that ended without a result, from the log.
class LostAttempts {
 public:
  void follow(const Event& event) {
    std::visit([&](const auto& body) { on(body, event.at); }, event.body);
  }
  std::vector<Stretch> take() { return std::move(lost_); }

 private:
  void on(const TaskAwarded& e, WallTime at) { begun_[e.task] = at; }
  void on(const TaskStarted& e, WallTime at) { begun_[e.task] = at; }
  void on(const TaskFinished& e, WallTime) { begun_.erase(e.task); }
  void on(const AttemptEnded& e, WallTime at) {
    const auto found = begun_.find(e.task);
    if (found == begun_.end()) return;
    lost_.push_back({e.task, e.agent, e.began.us != 0 ? e.began : found->second, at, How::lost});
    begun_.erase(found);
  }
  template <class Other>
  void on(const Other&, WallTime) {}

  std::map<TaskId, WallTime> begun_;
  std::vector<Stretch> lost_;
};

Result<std::vector<Stretch>> lost_attempts(const Snapshot& board) {
  LostAttempts attempts;
  const Result<void> read = each_event(board, [&](const Event& event) { attempts.follow(event); });
  if (!read) return fail(read.error());
  return attempts.take();
}

/// What the task's record tells: its result, or the work that is under way.
std::optional<Stretch> stretch_of(const Task& task, WallTime now) {
  const WallTime begin = task.started_at.us > 0 ? task.started_at : task.awarded_at;
  if (!task.holder || begin.us == 0) return {};
  if (task.state == TaskState::done)
    return Stretch{task.id, task.holder, begin, task.finished_at, How::accepted};
  if (task.state == TaskState::awarded || task.state == TaskState::running)
    return Stretch{task.id, task.holder, begin, now, How::under_way};
  return {};
}

/// "w3", or the name of a job: of several, the last.
Result<Workflow> find_job(const BoardView& board, const std::string& wanted) {
  const Result<std::vector<Workflow>> all = board.workflows();
  if (!all) return fail(all.error());
  const auto id = parse_id<WorkflowId>(wanted);
  const Workflow* found = nullptr;
  std::vector<std::string> names;
  for (const Workflow& workflow : *all) {
    if (workflow.name == wanted || (id && workflow.id == *id)) found = &workflow;
    names.push_back(workflow.name);
  }
  if (found) return *found;
  const std::string near = nearest(wanted, names);
  return fail(Errc::not_found,
              fmt::format("there is no job '{}' here; {}", wanted,
                          near.empty() ? "`bidboard query 'select id, name from workflows'` lists them"
                                       : fmt::format("did you mean '{}'?", near)));
}

/// The rows are the agents by name; time begins with the first stretch.
GanttChart chart_of(const BoardView& board, std::string title, const std::map<TaskId, std::string>& titles,
                    std::vector<Stretch> stretches) {
  GanttChart chart;
  chart.title = std::move(title);
  std::erase_if(stretches, [&](const Stretch& s) { return !titles.contains(s.task); });
  if (stretches.empty()) return chart;
  std::ranges::sort(stretches, {}, [](const Stretch& s) { return s.begin.us; });
  const WallTime first = stretches.front().begin;
  const auto since = [&](WallTime at) { return static_cast<double>((at - first).us) / 1e6; };
  std::map<AgentId, std::string> names;
  for (const Stretch& s : stretches)
    if (!names.contains(s.agent)) names[s.agent] = board.agent_name(s.agent);
  std::map<std::string, std::size_t> places;
  for (const auto& [id, name] : names) places.emplace(name, 0);
  for (auto& [name, place] : places) place = chart.rows.size(), chart.rows.push_back(name);
  for (const Stretch& s : stretches)
    chart.bars.push_back({places.at(names.at(s.agent)), since(s.begin),
                          std::max(since(s.begin), since(s.end)), s.how, titles.at(s.task)});
  return chart;
}

Result<GanttChart> chart_of_board(const Globals& globals, const std::string& job) {
  const Result<BoardView> board = BoardView::open(globals);
  if (!board) return fail(board.error());
  std::optional<Workflow> only;
  if (!job.empty()) {
    const Result<Workflow> found = find_job(*board, job);
    if (!found) return fail(found.error());
    only = *found;
  }
  const Result<std::vector<Task>> tasks = board->tasks();
  if (!tasks) return fail(tasks.error());
  Result<std::vector<Stretch>> stretches = lost_attempts(board->snapshot());
  if (!stretches) return fail(stretches.error());
  const WallTime now = board->now();
  std::map<TaskId, std::string> titles;
  for (const Task& task : *tasks) {
    if (only && task.spec.workflow != only->id) continue;
    titles[task.id] = fmt::format("{} {}", task.id, task.spec.title);
    if (const std::optional<Stretch> stretch = stretch_of(task, now)) stretches->push_back(*stretch);
  }
  return chart_of(*board, only ? fmt::format("Job {} ({})", only->name, only->id) : "All work on this board",
                  titles, std::move(*stretches));
}

Result<Exit> gantt(const Globals& globals, const GanttArgs& args) {
  if (args.html + args.svg + args.text > 1)
    return fail(Errc::invalid, "--html, --svg and --text exclude each other; choose one");
  if (args.results.empty() != args.cell.empty())
    return fail(Errc::invalid,
                "--results and --cell go together: bidboard gantt --results DIR --cell w0.a0.f0.s0.1");
  if (!args.results.empty() && !args.job.empty())
    return fail(Errc::invalid,
                "a chart is of a job or of a run of an experiment; leave out the job or --results");
  const Result<GanttChart> chart =
      args.results.empty() ? chart_of_board(globals, args.job) : read_chart(args.results, args.cell);
  if (!chart) return fail(chart.error());
  if (chart->bars.empty()) return fail(Errc::not_found, "no work has begun yet, so there is nothing to draw");
  if (args.html)
    write_out(gantt_page(*chart));
  else if (args.svg)
    write_out(gantt_svg(*chart, SvgUse::file));
  else
    write_out(gantt_text(*chart, terminal_width()));
  return Exit::ok;
}

}  // namespace

Command gantt_command() {
  return {"gantt",
          "Insight",
          "Draw who worked on what, and when",
          "  In the terminal, neighbouring tasks alternate between █ and ▓, x is work whose result was not "
          "accepted, and ░ is under way.",
          {{"bidboard gantt", "all work on this board"},
           {"bidboard gantt audit --svg > audit.svg", "the last job of that name, as a picture"},
           {"bidboard gantt --results results/today --cell w0.a0.f0.s0.1 --html > run.html",
            "a run of an experiment (seed 1), as a page"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<GanttArgs>();
            o.argument("JOB", args->job, "Only this job: its name, or its id (w3)", false);
            o.flag("--text", args->text, "Draw with characters (the default)");
            o.flag("--svg", args->svg, "Print SVG");
            o.flag("--html", args->html, "Print a page");
            o.text("--results", args->results, "DIR",
                   "A folder with the results of an experiment, instead of a board");
            o.text("--cell", args->cell, "NAME", "The run to draw, of seed 1 (--results)");
            return [args](const Globals& globals) { return gantt(globals, *args); };
          }};
}

}  // namespace bidboard
