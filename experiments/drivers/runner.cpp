#include "experiments/drivers/runner.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>
#include <tuple>

#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"
#include "experiments/bench/support.hpp"
#include "experiments/bench/turn_clock.hpp"
#include "experiments/drivers/live.hpp"
#include "experiments/report.hpp"
#include "experiments/simulate.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;
using bench::Clock;
using bench::seconds_since;

/// The parts that all strategies of a seed share, computed once.
struct Ground {
  Cell cell;
  Setting setting;
  Yardsticks yardsticks;

  Ground(const Experiment& experiment, const Cell& of)
      : cell(of), setting(setting_of(experiment, of)), yardsticks(yardsticks_of(experiment, of, setting)) {}
  bool serves(Cell other) const {
    other.strategy = cell.strategy;
    return cell == other;
  }
};

Result<RunRecord> run_on(const Ground& ground, const Experiment& experiment, const Cell& cell,
                         const std::string& program, RunFacts& facts) {
  TurnClock clock;
  Result<RunFacts> ran = simulate(experiment, cell, ground.setting, ground.yardsticks.bound, &clock);
  if (!ran) return fail(ran.error());
  ran->controller = clock.seconds();
  const double simulated = ran->makespan;
  const bool live = experiment.mode == Mode::live;
  if (live) ran = run_live(program, experiment, cell, ground.setting, ground.yardsticks.bound);
  if (!ran) return fail(ran.error());
  facts = std::move(*ran);
  RunRecord run{cell, measure_run(facts, ground.yardsticks)};
  if (live && simulated > 0) run.measured[measure_position("against_simulated")] = facts.makespan / simulated;
  return run;
}

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

Result<void> write_all(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  if (file << text && file.flush()) return {};
  return fail(Errc::storage, fmt::format("cannot write {}", path));
}

/// In the order of cells_of(), whichever thread finished first.
void in_order(std::vector<RunRecord>& runs) {
  std::sort(runs.begin(), runs.end(), [](const RunRecord& a, const RunRecord& b) {
    const auto key = [](const Cell& c) {
      return std::tuple(c.workload, c.agents, c.faults, c.seed, c.strategy);
    };
    return key(a.cell) < key(b.cell);
  });
}

/// The complete lines; a run whose line was cut off by a crash is repeated.
std::vector<Value> read_lines(const std::string& path) {
  std::vector<Value> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);)
    if (const Result<Value> value = parse_json(line)) lines.push_back(*value);
  return lines;
}

Value gantt_line(const Cell& cell, const RunFacts& facts) {
  Value rows{Value::Array{}};
  const auto rounded = [](double seconds) {
    return Value(static_cast<double>(static_cast<std::int64_t>(seconds * 1e3)) / 1e3);
  };
  for (const ExecutionFacts& e : facts.executions) {
    Value row{Value::Array{}};
    row.push(static_cast<std::int64_t>(e.task));
    row.push(static_cast<std::int64_t>(e.agent));
    row.push(rounded(e.begin));
    row.push(rounded(e.end));
    row.push(e.useful ? 1 : 0);
    rows.push(std::move(row));
  }
  Value line{Value::Object{}};
  line.set("cell", name_of(cell));
  line.set("executions", std::move(rows));
  return line;
}

/// The folder of an experiment: reads existing results and appends new ones.
class Folder {
 public:
  static Result<std::unique_ptr<Folder>> open(const Experiment& experiment, const RunnerOptions& options) {
    std::error_code error;
    fs::create_directories(options.out, error);
    if (error) return fail(Errc::storage, fmt::format("cannot make {}: {}", options.out, error.message()));
    std::unique_ptr<Folder> folder(new Folder);
    folder->results_.names = names_of(experiment);
    folder->results_.made_by = options.made_by;
    Value description = to_value(folder->results_.names);
    description.set("source", to_hex(content_hash(options.source)));
    description.set("made_by", options.made_by);
    const std::string path = options.out + "/experiment.json";
    if (const Result<Value> before = parse_json(read_all(path)); fs::exists(path)) {
      const Value* source = before ? before->find("source") : nullptr;
      if (!source || *source != *description.find("source"))
        return fail(Errc::conflict, options.out +
                                        " holds the results of another experiment, or of an earlier "
                                        "version of this one; choose another --out");
    }
    if (const Result<void> written = write_all(path, to_json(description, 2) + "\n"); !written)
      return fail(written.error());
    for (const Value& line : read_lines(options.out + "/runs.jsonl"))
      if (Result<RunRecord> run = read_run(line)) folder->keep(std::move(*run));
    folder->runs_.open(options.out + "/runs.jsonl", std::ios::app);
    folder->gantt_.open(options.out + "/gantt.jsonl", std::ios::app);
    if (!folder->runs_ || !folder->gantt_)
      return fail(Errc::storage, fmt::format("cannot write to {}", options.out));
    return folder;
  }

  bool has(const Cell& cell) const { return done_.contains(name_of(cell)); }
  std::size_t size() const { return done_.size(); }
  void add(RunRecord run, const RunFacts& facts) {
    if (run.cell.seed == 1) gantt_ << to_json(gantt_line(run.cell, facts)) << "\n" << std::flush;
    runs_ << to_json(to_value(results_.names, run)) << "\n" << std::flush;
    keep(std::move(run));
  }
  Results take() {
    in_order(results_.runs);
    return std::move(results_);
  }

 private:
  void keep(RunRecord run) {
    if (done_.insert(name_of(run.cell)).second) results_.runs.push_back(std::move(run));
  }
  Results results_;
  std::set<std::string> done_;
  std::ofstream runs_;
  std::ofstream gantt_;
};

/// Shared by the worker threads: hands out the next cell, and collects results.
class Work {
 public:
  Work(const Experiment& experiment, const RunnerOptions& options, Folder& folder)
      : experiment_(experiment), options_(options), folder_(folder), cells_(cells_of(experiment)) {
    already_ = folder.size();
  }

  void run() {
    std::optional<Ground> ground;
    while (const std::optional<Cell> cell = next()) {
      if (!ground || !ground->serves(*cell)) ground.emplace(experiment_, *cell);
      RunFacts facts;
      Result<RunRecord> run = run_on(*ground, experiment_, *cell, options_.program, facts);
      const std::lock_guard lock(mutex_);
      if (!run) {
        if (!error_)
          error_ = Error{run.error().code, fmt::format("{}: {}", name_of(*cell), run.error().text)};
        return;
      }
      folder_.add(std::move(*run), facts);
      const std::size_t done = folder_.size() - already_;
      const double left = seconds_since(begun_) / static_cast<double>(done) *
                          static_cast<double>(cells_.size() - folder_.size());
      options_.on_progress(folder_.size(), cells_.size(), left);
    }
  }
  const std::optional<Error>& error() const { return error_; }

 private:
  std::optional<Cell> next() {
    const std::lock_guard lock(mutex_);
    while (at_ < cells_.size() && folder_.has(cells_[at_])) ++at_;
    if (at_ == cells_.size() || error_ || options_.stop()) return {};
    return cells_[at_++];
  }

  const Experiment& experiment_;
  const RunnerOptions& options_;
  Folder& folder_;
  std::vector<Cell> cells_;
  std::size_t already_ = 0;
  std::size_t at_ = 0;
  std::optional<Error> error_;
  std::mutex mutex_;
  const Clock::time_point begun_ = Clock::now();
};

}  // namespace

Result<RunRecord> run_cell(const Experiment& experiment, const Cell& cell, const std::string& program,
                           RunFacts& facts) {
  return run_on(Ground(experiment, cell), experiment, cell, program, facts);
}

Result<double> seconds_per_run(const Experiment& experiment, const std::string& program) {
  const std::vector<Cell> cells = cells_of(experiment);
  const std::size_t tries = std::min<std::size_t>(cells.size(), experiment.mode == Mode::live ? 1 : 12);
  const auto begun = Clock::now();
  for (std::size_t i = 0; i < tries; ++i) {
    RunFacts facts;
    const auto run = run_cell(experiment, cells[i * cells.size() / tries], program, facts);
    if (!run) return fail(run.error());
  }
  return seconds_since(begun) / static_cast<double>(tries);
}

Result<Results> run_experiment(const Experiment& experiment, const RunnerOptions& options) {
  const auto folder = Folder::open(experiment, options);
  if (!folder) return fail(folder.error());
  Work work(experiment, options, **folder);
  // Live runs would disturb each other.
  const unsigned threads = experiment.mode == Mode::live ? 1 : std::max(1u, options.threads);
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) running.emplace_back([&] { work.run(); });
  for (std::thread& thread : running) thread.join();
  if (work.error()) return fail(*work.error());
  Results results = (*folder)->take();
  if (const Result<void> written = write_report(options.out, results); !written) return fail(written.error());
  return results;
}

Result<Results> read_results(const std::string& folder) {
  const std::string path = folder + "/experiment.json";
  if (!fs::exists(path))
    return fail(
        Errc::not_found,
        fmt::format("no results in {0}; `bidboard experiment run FILE --out {0}` makes some", folder));
  const Result<Value> description = parse_json(read_all(path));
  if (!description) return fail(Errc::corrupt, fmt::format("{}:{}", path, description.error().text));
  Result<ExperimentNames> names = read_names(*description);
  if (!names) return fail(Errc::corrupt, fmt::format("{}: {}", path, names.error().text));
  Results results;
  results.names = std::move(*names);
  if (const Value* made_by = description->find("made_by"); made_by && made_by->is_string())
    results.made_by = made_by->string();
  std::set<std::string> seen;
  for (const Value& line : read_lines(folder + "/runs.jsonl")) {
    Result<RunRecord> run = read_run(line);
    if (!run) return fail(Errc::corrupt, fmt::format("{}/runs.jsonl: {}", folder, run.error().text));
    if (seen.insert(name_of(run->cell)).second) results.runs.push_back(std::move(*run));
  }
  in_order(results.runs);
  return results;
}

Result<void> write_report(const std::string& folder, const Results& results) {
  if (const Result<void> csv = write_all(folder + "/runs.csv", to_csv(results)); !csv) return csv;
  return write_all(folder + "/report.html", report_page(results, read_lines(folder + "/gantt.jsonl")));
}

}  // namespace bidboard
