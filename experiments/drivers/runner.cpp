#include "experiments/drivers/runner.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>

#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "experiments/bench/support.hpp"
#include "experiments/bench/turn_clock.hpp"
#include "experiments/drivers/live.hpp"
#include "experiments/estimate.hpp"
#include "experiments/simulate.hpp"
#include "experiments/statistics.hpp"

namespace bidboard {
namespace {

using bench::Clock;
using bench::seconds_since;

/// --dry-run measures for so long, and longer for a sample of so many runs per workload, group of agents,
/// fault and strategy, but not beyond the second limit; a run that has begun is finished.
constexpr double sample_seconds = 10;
constexpr std::size_t runs_per_part = 5;
constexpr double most_sample_seconds = 20;
/// An experiment is judged for the page and for the terminal.
constexpr double times_judged = 2;

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

Result<RunFacts> simulate_on(const Ground& ground, const Experiment& experiment, const Cell& cell) {
  TurnClock clock;
  Result<RunFacts> ran = simulate(experiment, cell, ground.setting, ground.yardsticks.bound, &clock);
  if (ran) ran->controller = clock.seconds();
  return ran;
}

Result<RunRecord> run_on(const Ground& ground, const Experiment& experiment, const Cell& cell,
                         const std::string& program, RunFacts& facts) {
  Result<RunFacts> ran = simulate_on(ground, experiment, cell);
  if (!ran) return fail(ran.error());
  const double simulated = ran->finished ? ran->makespan : 0;
  const bool live = experiment.mode == Mode::live;
  if (live) ran = run_live(program, experiment, cell, ground.setting, ground.yardsticks.bound);
  if (!ran) return fail(ran.error());
  facts = std::move(*ran);
  RunRecord run{cell, measure_run(facts, ground.yardsticks)};
  if (live && simulated > 0) run.measured[measure_position("against_simulated")] = facts.makespan / simulated;
  if (is_below_bound(run.measured))
    return fail(Errc::failed, fmt::format("the makespan is {} s, but no schedule takes less than {} s: the "
                                          "run was measured wrongly",
                                          facts.makespan, ground.yardsticks.bound));
  return run;
}

tl::unexpected<Error> fail_in_cell(const Experiment& experiment, const Cell& cell, const Error& error) {
  return fail(error.code, fmt::format("cell {}, workload {}: {}", name_of(cell),
                                      experiment.workloads[cell.workload].name, error.text));
}

/// Shared by the worker threads: hands out the next cell, and collects results.
class Work {
 public:
  Work(const Experiment& experiment, const RunnerOptions& options, ResultFolder& folder)
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
      if (!run) return stop_with(fail_in_cell(experiment_, *cell, run.error()).value());
      if (const Result<void> added = folder_.add(std::move(*run), facts); !added)
        return stop_with(added.error());
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
  void stop_with(const Error& error) {
    if (!error_) error_ = error;
  }

  const Experiment& experiment_;
  const RunnerOptions& options_;
  ResultFolder& folder_;
  std::vector<Cell> cells_;
  std::size_t already_ = 0;
  std::size_t at_ = 0;
  std::optional<Error> error_;
  std::mutex mutex_;
  const Clock::time_point begun_ = Clock::now();
};

/// Measures runs as Work makes them, on as many threads.
class Sampling {
 public:
  explicit Sampling(const Experiment& experiment)
      : experiment_(experiment), order_(sample_order(experiment)) {}

  void run() {
    while (const std::optional<Cell> cell = next()) {
      const auto begun = Clock::now();
      const Ground ground(experiment_, *cell);
      TimedRun timed{*cell, 0, seconds_since(begun)};
      const auto run_begun = Clock::now();
      const Result<RunFacts> facts = simulate_on(ground, experiment_, *cell);
      timed.run = seconds_since(run_begun);
      const std::lock_guard lock(mutex_);
      if (!facts) {
        if (!error_) error_ = fail_in_cell(experiment_, *cell, facts.error()).value();
        return;
      }
      if (experiment_.mode == Mode::live) timed.run += facts->makespan;
      sample_.push_back(timed);
    }
  }
  const std::optional<Error>& error() const { return error_; }
  const std::vector<TimedRun>& sample() const { return sample_; }

 private:
  std::optional<Cell> next() {
    const std::lock_guard lock(mutex_);
    const double now = seconds_since(begun_);
    const std::size_t parts = experiment_.workloads.size() + experiment_.agents.size() +
                              experiment_.faults.size() + experiment_.strategies.size();
    const bool enough = !sample_.empty() &&
                        now > (sample_.size() < runs_per_part * parts ? most_sample_seconds : sample_seconds);
    if (at_ == order_.size() || error_ || enough) return {};
    return order_[at_++];
  }

  const Experiment& experiment_;
  const std::vector<Cell> order_;
  std::size_t at_ = 0;
  std::vector<TimedRun> sample_;
  std::optional<Error> error_;
  std::mutex mutex_;
  const Clock::time_point begun_ = Clock::now();
};

template <class Job>
void on_threads(unsigned threads, Job& job) {
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) running.emplace_back([&] { job.run(); });
  for (std::thread& thread : running) thread.join();
}

/// Live runs would disturb each other.
unsigned threads_for(const Experiment& experiment, unsigned threads) {
  return experiment.mode == Mode::live ? 1 : std::max(1u, threads);
}

/// Seconds that the statistics take, from one comparison.
double seconds_to_judge(const Experiment& experiment) {
  Random random(1);
  std::vector<double> a, b;
  for (std::size_t i = 0; i < experiment.workloads.size() * experiment.seeds; ++i) {
    a.push_back(1 + static_cast<double>(random.below(1'000)));
    b.push_back(1 + static_cast<double>(random.below(1'000)));
  }
  const auto begun = Clock::now();
  static_cast<void>(compare(a, b));
  const std::size_t comparisons =
      2 * experiment.agents.size() * experiment.faults.size() * experiment.strategies.size();
  return times_judged * seconds_since(begun) * static_cast<double>(comparisons);
}

/// What a live run takes beyond its makespan: processes start and stop.
Result<double> seconds_around_live(const Experiment& experiment, const std::string& program) {
  const Cell cell;
  const auto begun = Clock::now();
  const Ground ground(experiment, cell);
  const Result<RunFacts> facts = run_live(program, experiment, cell, ground.setting, ground.yardsticks.bound);
  if (!facts) return fail_in_cell(experiment, cell, facts.error());
  return std::max(0.0, seconds_since(begun) - facts->makespan);
}

}  // namespace

Result<RunRecord> run_cell(const Experiment& experiment, const Cell& cell, const std::string& program,
                           RunFacts& facts) {
  Result<RunRecord> run = run_on(Ground(experiment, cell), experiment, cell, program, facts);
  if (!run) return fail_in_cell(experiment, cell, run.error());
  return run;
}

Result<double> predicted_seconds(const Experiment& experiment, const std::string& program, unsigned threads) {
  const unsigned used = threads_for(experiment, threads);
  Sampling sampling(experiment);
  on_threads(used, sampling);
  if (sampling.error()) return fail(*sampling.error());
  double seconds = predict_seconds(experiment, sampling.sample(), used) + seconds_to_judge(experiment);
  if (experiment.mode == Mode::live) {
    const Result<double> around = seconds_around_live(experiment, program);
    if (!around) return fail(around.error());
    seconds += *around * static_cast<double>(cells_of(experiment).size());
  }
  return seconds;
}

Result<Results> run_experiment(const Experiment& experiment, const RunnerOptions& options) {
  const auto folder = ResultFolder::open(experiment, options.out, options.made_by);
  if (!folder) return fail(folder.error());
  for (const std::string& warning : (*folder)->warnings()) options.on_warning(warning);
  Work work(experiment, options, **folder);
  on_threads(threads_for(experiment, options.threads), work);
  if (work.error()) return fail(*work.error());
  Results results = (*folder)->take();
  if (const Result<void> written = write_report(options.out, results); !written) return fail(written.error());
  return results;
}

}  // namespace bidboard
