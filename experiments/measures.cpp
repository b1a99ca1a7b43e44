#include "experiments/measures.hpp"

#include <algorithm>
#include <cmath>

#include "blackboard/fmt.hpp"
#include "experiments/schedule.hpp"
#include "experiments/statistics.hpp"

namespace bidboard {
namespace {

using Better = Measure::Better;

/// HEFT beyond this many task × agent pairs takes longer than the run.
constexpr std::size_t heft_limit = 2'000'000;

std::optional<double> observed(double value) {
  if (value < 0) return {};
  return value;
}

/// Jain's index: 1 if all are equal, 1 / n if one has everything.
double jain(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double value : values) sum += value, squares += value * value;
  return squares == 0 ? 1 : sum * sum / (static_cast<double>(values.size()) * squares);
}

struct Sums {
  double slots = 0;
  double alive = 0;
  double work = 0;    ///< of executions
  double wasted = 0;  ///< of them, without an accepted result
  double awards = 0;
  double price = 0;
  std::vector<double> waits;         ///< ready to first award
  std::vector<double> useful_share;  ///< per agent: useful seconds per slot
  std::vector<double> detection;
  std::vector<double> redistribution;
  std::vector<double> start_delays;  ///< award to begin
  std::vector<double> starts;        ///< ready to begin
};

Sums sums_of(const RunFacts& facts) {
  Sums sums;
  sums.alive = facts.managers_alive;
  std::vector<double> useful(facts.agents.size(), 0);
  for (const ExecutionFacts& e : facts.executions) {
    sums.work += e.end - e.begin;
    (e.useful ? useful[e.agent] : sums.wasted) += e.end - e.begin;
  }
  for (std::size_t i = 0; i < facts.agents.size(); ++i) {
    sums.slots += facts.agents[i].slots;
    sums.alive += facts.agents[i].alive;
    sums.useful_share.push_back(useful[i] / facts.agents[i].slots);
  }
  for (const TaskFacts& task : facts.tasks) {
    sums.awards += task.awards;
    sums.price += task.price;
    if (task.started >= 0) sums.start_delays.push_back(task.started - task.awarded_last);
    if (task.started >= 0) sums.starts.push_back(task.started - task.ready);
    if (task.awarded >= 0) sums.waits.push_back(std::max(0.0, task.awarded - task.ready));
  }
  for (const FailureFacts& failure : facts.failures) {
    if (failure.detected >= 0) sums.detection.push_back(failure.detected - failure.at);
    if (failure.redistributed >= 0) sums.redistribution.push_back(failure.redistributed - failure.at);
  }
  return sums;
}

std::optional<double> per(std::optional<double> value, double what) {
  if (!value || what <= 0) return {};
  return *value / what;
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> table{
      {"makespan", "makespan", "s", "last accepted result − post; none if a task is not done"},
      {"bound_ratio", "makespan / bound", "×",
       "makespan / max over heads h and tails t of (h + Σ size of tasks with at least h before and t behind "
       "them / Σ speed × slots + t); where true durations differ from sizes, the least of them count"},
      {"heft_ratio", "makespan / HEFT", "×",
       "makespan / makespan of HEFT, which knows the true seconds and, if agents are killed, makes a new "
       "plan "
       "at that moment without them"},
      {"list_ratio", "makespan / list", "×",
       "makespan / makespan of list scheduling by bottom levels, which knows the true seconds (agents of one "
       "speed, none killed)"},
      {"award_p50", "ready → award, median", "s",
       "median over tasks of (first award − ready), by nearest rank"},
      {"award_p99", "ready → award, 99 %", "s", "99th percentile of the same"},
      {"start_p50", "ready → start, median", "s",
       "median over tasks of (begin of the accepted attempt − ready), by nearest rank"},
      {"messages", "messages per task", "", "messages sent between all processes / tasks"},
      {"bytes", "bytes per task", "B", "bytes of their frames / tasks"},
      {"lost", "messages lost", "%", "100 × messages that did not arrive / messages sent", Better::neither},
      {"links", "links used", "", "pairs of processes that exchanged a message", Better::neither},
      {"controller", "controller time per task", "µs",
       "real time spent in the controller and its store / tasks (simulated only)"},
      {"redundant", "redundant work", "%",
       "100 × (seconds of executions whose result was not accepted) / (seconds of all executions)"},
      {"conflicts", "conflicts per task", "", "(claims of agents − awards) / tasks"},
      {"idle", "idle slots", "%", "100 × (1 − Σ seconds of executions / (makespan × Σ slots))"},
      {"retries", "retries", "%", "100 × (awards − tasks) / tasks"},
      {"fairness", "fairness", "",
       "(Σ x)² / (n Σ x²) over agents, x = accepted seconds per slot (Jain's index; 1: equal)",
       Better::higher},
      {"price", "price", "", "Σ price of accepted results; agents charge their speed per second"},
      {"processes", "processes", "", "processes started, the controller included", Better::neither},
      {"memory", "resident memory", "MB", "proportional set sizes of all processes, summed (live only)"},
      {"agent_seconds", "agent-seconds alive", "s",
       "Σ over agents, managers included, of the lifetime of the process"},
      {"detect", "time to detect", "s", "mean over killed agents of (death recorded on the board − death)"},
      {"redistribute", "time to redistribute", "s",
       "mean over killed agents that held tasks of (all of them awarded again − death)"},
      {"start_delay", "award → start", "s", "mean over tasks of (begin of the accepted attempt − its award)"},
      {"against_simulated", "live / simulated", "×",
       "makespan / makespan of the same cell in the simulator (live only)"},
      {"unfinished", "tasks not done", "", "tasks without an accepted result at the end", Better::lower,
       true},
      {"done", "tasks done", "%", "100 × tasks with an accepted result / tasks", Better::higher, true},
      {"used_up", "attempts used up by outages", "%",
       "100 × attempts that count although a refused call ended them / tasks (with accounts only)",
       Better::lower, true},
      {"calls_refused", "calls refused", "%",
       "100 × calls that providers refused / tasks (with accounts only)", Better::lower, true},
      {"billed", "billed per task done", "",
       "Σ of what providers billed, for attempts of any outcome / tasks done (with accounts only)",
       Better::lower, true},
  };
  return table;
}

bool is_geometric(const Measure& measure) { return measure.unit == "×"; }

double mean(const Measure& measure, const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += is_geometric(measure) ? std::log(value) : value;
  sum /= static_cast<double>(values.size());
  return is_geometric(measure) ? std::exp(sum) : sum;
}

std::string measures_reference() {
  std::string text = "| name | measure | unit | formula |\n|---|---|---|---|\n";
  for (const Measure& m : measures()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", m.name, m.title, m.unit, m.formula);
  }
  return text;
}

Yardsticks yardsticks_of(const Experiment& experiment, const Cell& cell, const Setting& setting) {
  Yardsticks yardsticks{lower_bound(setting)};
  if (setting.plan.tasks.size() * setting.agents.size() > heft_limit) return yardsticks;
  const FaultsSpec& faults = experiment.faults[cell.faults];
  if (faults.kill_agents == 0) {
    yardsticks.heft = heft_makespan(setting);
    if (const AgentsSpec& agents = experiment.agents[cell.agents]; agents.slowest == agents.fastest)
      yardsticks.list = list_makespan(setting);
  } else {
    const std::vector<std::uint32_t> order = order_of_victims(setting);
    const std::vector<std::size_t> dead(order.begin(), order.begin() + faults.kill_agents);
    yardsticks.heft = heft_replanned(setting, dead, yardsticks.bound * from_micros(faults.at));
    // The dead had a skill that nobody else has: no plan finishes.
    if (!std::isfinite(yardsticks.heft)) yardsticks.heft = 0;
  }
  return yardsticks;
}

Measured measure_run(const RunFacts& facts, const Yardsticks& yardsticks) {
  const Sums sums = sums_of(facts);
  const auto tasks = static_cast<double>(facts.tasks.size());
  const auto mean = [](const std::vector<double>& values) -> std::optional<double> {
    if (values.empty()) return {};
    double sum = 0;
    for (const double value : values) sum += value;
    return sum / static_cast<double>(values.size());
  };
  const auto rank = [](const std::vector<double>& values, double q) {
    return values.empty() ? std::nullopt : std::optional(quantile(values, q));
  };
  const auto done =
      std::count_if(facts.tasks.begin(), facts.tasks.end(), [](const TaskFacts& t) { return t.done; });
  const std::optional<double> memory = observed(facts.memory);
  // A run that did not finish ended at a limit, which is no makespan.
  const double makespan = static_cast<std::size_t>(done) == facts.tasks.size() ? facts.makespan : -1;
  return {observed(makespan),
          per(observed(makespan), yardsticks.bound),
          per(observed(makespan), yardsticks.heft),
          per(observed(makespan), yardsticks.list),
          rank(sums.waits, 0.5),
          rank(sums.waits, 0.99),
          rank(sums.starts, 0.5),
          per(observed(facts.messages), tasks),
          per(observed(facts.bytes), tasks),
          per(100 * facts.lost, observed(facts.messages).value_or(0)),
          observed(facts.links),
          per(1e6 * facts.controller, facts.controller < 0 ? 0 : tasks),
          per(100 * sums.wasted, sums.work),
          per(observed(facts.conflicts), tasks),
          sums.slots > 0 && makespan > 0
              ? std::optional(100 * std::max(0.0, 1 - sums.work / (makespan * sums.slots)))
              : std::nullopt,
          per(100 * (sums.awards - tasks), tasks),
          jain(sums.useful_share),
          sums.price,
          facts.processes,
          memory ? std::optional(*memory / 1e6) : std::nullopt,
          makespan < 0 ? std::nullopt : std::optional(sums.alive),
          mean(sums.detection),
          mean(sums.redistribution),
          mean(sums.start_delays),
          std::nullopt,
          tasks - static_cast<double>(done),
          100 * static_cast<double>(done) / tasks,
          facts.used_up < 0 ? std::nullopt : per(100 * facts.used_up, tasks),
          facts.calls_refused < 0 ? std::nullopt : per(100 * facts.calls_refused, tasks),
          per(observed(facts.billed), static_cast<double>(done))};
}

}  // namespace bidboard
