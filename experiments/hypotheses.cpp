#include "experiments/hypotheses.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

/// Identifies a value: workload, agents, faults, seed.
using Unit = std::array<std::size_t, 4>;
using Values = std::map<Unit, double>;
constexpr std::size_t agents_place = 1;
constexpr std::size_t faults_place = 2;

constexpr std::array<std::string_view, 6> costs{"messages",   "bytes",     "links",
                                                "controller", "start_p50", "makespan"};

/// Smaller effects do not matter even if significant: of percentages and other differences, and of exponents
/// (ratios: least_ratio).
constexpr double least_points = 0.5;
constexpr double least_exponent = 0.05;
constexpr std::size_t least_counts = 3;

std::set<std::size_t> places(const std::vector<std::string>& names, const std::vector<std::string>& chosen) {
  std::set<std::size_t> found;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (std::ranges::find(chosen, names[i]) != chosen.end()) found.insert(i);
  return found;
}

const Measure* find_measure(std::string_view name) {
  const auto found = std::ranges::find(measures(), name, &Measure::name);
  return found == measures().end() ? nullptr : &*found;
}

bool counts_always(std::string_view measure) {
  const Measure* known = find_measure(measure);
  return known && known->always;
}

/// A measure in the selected runs. Empty for an unknown measure or strategy.
Values values_of(const Results& results, std::string_view measure, std::string_view strategy,
                 const Where& where) {
  Values values;
  const ExperimentNames& names = results.names;
  const auto s = std::ranges::find(names.strategies, strategy);
  if (!find_measure(measure) || s == names.strategies.end()) return values;
  const std::size_t position = measure_position(measure);
  const auto workloads = places(names.workloads, where.workloads);
  const auto agents = places(names.agents, where.agents);
  const auto faults = places(names.faults, where.faults);
  for (const RunRecord& run : results.runs) {
    const Cell& cell = run.cell;
    if (cell.strategy == static_cast<std::size_t>(s - names.strategies.begin()) &&
        workloads.contains(cell.workload) && agents.contains(cell.agents) && faults.contains(cell.faults))
      if (const std::optional<double> value = value_of(run, position))
        values[{cell.workload, cell.agents, cell.faults, cell.seed}] = *value;
  }
  return values;
}

/// The tasks not done, in the runs that did not finish.
Values unfinished_of(const Results& results, std::string_view strategy, const Where& where) {
  Values open = values_of(results, "unfinished", strategy, where);
  std::erase_if(open, [](const auto& tasks) { return tasks.second == 0; });
  return open;
}

bool is_positive(double value) { return value > 0; }

/// Position of the kind of a group of agents.
std::size_t kind_place(const ExperimentNames& names, std::size_t agents) {
  return static_cast<std::size_t>(std::ranges::find(names.agent_kinds, names.agent_kinds[agents]) -
                                  names.agent_kinds.begin());
}

/// The exponents of a power law over the numbers of agents, for each workload, kind of agents, faults and
/// seed.
Values exponents_of(const Results& results, const Values& values) {
  std::map<Unit, std::pair<std::vector<double>, std::vector<double>>> points;
  for (const auto& [measured, value] : values) {
    Unit unit = measured;
    const auto count = static_cast<double>(results.names.agent_counts[unit[agents_place]]);
    unit[agents_place] = kind_place(results.names, unit[agents_place]);
    points[unit].first.push_back(count);
    points[unit].second.push_back(value);
  }
  Values exponents;
  for (const auto& [unit, xy] : points)
    if (std::set(xy.first.begin(), xy.first.end()).size() > 1 && std::ranges::all_of(xy.second, is_positive))
      exponents[unit] = fit_power_law(xy.first, xy.second).exponent;
  return exponents;
}

/// The measure under faults ÷ the same without.
Values by_failure(const Results& results, const Values& values, const Values& undisturbed) {
  Values ratios;
  for (const auto& [unit, value] : values) {
    if (results.names.faults[unit[faults_place]] == "none") continue;
    Unit before = unit;
    for (std::size_t f = 0; f < results.names.faults.size(); ++f)
      if (results.names.faults[f] == "none") before[faults_place] = f;
    if (const auto found = undisturbed.find(before); found != undisturbed.end() && found->second > 0)
      ratios[unit] = value / found->second;
  }
  return ratios;
}

Values aspect_of(const Results& results, const Hypothesis& hypothesis, std::string_view strategy) {
  const Values values = values_of(results, hypothesis.measure, strategy, hypothesis.where);
  if (hypothesis.aspect == Aspect::growth) return exponents_of(results, values);
  if (hypothesis.aspect == Aspect::value) return values;
  Where everywhere = hypothesis.where;
  everywhere.faults = results.names.faults;
  return by_failure(results, values, values_of(results, hypothesis.measure, strategy, everywhere));
}

std::vector<double> numbers(const Values& values) {
  std::vector<double> out;
  for (const auto& [unit, value] : values) out.push_back(value);
  return out;
}

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

HypothesisVerdict contrast(const Results& results, const Hypothesis& hypothesis) {
  std::vector<double> more, less;
  pair_up(aspect_of(results, hypothesis, hypothesis.more), aspect_of(results, hypothesis, hypothesis.less),
          more, less);
  HypothesisVerdict verdict;
  if (!counts_always(hypothesis.measure))
    verdict.unfinished = unfinished_of(results, hypothesis.more, hypothesis.where).size() +
                         unfinished_of(results, hypothesis.less, hypothesis.where).size();
  if (more.empty()) return verdict;
  verdict.as_ratio = hypothesis.aspect == Aspect::failure ||
                     (hypothesis.aspect == Aspect::value && find_measure(hypothesis.measure)->unit != "%" &&
                      std::ranges::all_of(more, is_positive) && std::ranges::all_of(less, is_positive));
  if (verdict.as_ratio) {
    verdict.more = summarise(more).ratio;
    verdict.less = summarise(less).ratio;
    const Comparison c = compare(more, less);
    verdict.contrast = {c.ratio, c.ci, c.p, c.pairs};
  } else {
    verdict.more = mean_of(more);
    verdict.less = mean_of(less);
    verdict.contrast = differ(more, less);
  }
  return verdict;
}

double least_effect(const Hypothesis& hypothesis, const HypothesisVerdict& verdict) {
  if (hypothesis.aspect == Aspect::growth) return least_exponent;
  return verdict.as_ratio ? std::log(least_ratio) : least_points;
}

std::string two_decimals(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", value);
  return text;
}

std::string interval(const Interval& ci, std::string (*number)(double) = four_digits) {
  return fmt::format("[{} to {}]", number(ci.low), number(ci.high));
}

/// One strategy's value in a hypothesis, with its unit.
std::string side_in_words(const Hypothesis& hypothesis, double value) {
  if (hypothesis.aspect == Aspect::growth) return fmt::format("n^{}", two_decimals(value));
  if (hypothesis.aspect == Aspect::failure) return fmt::format("× {}", four_digits(value));
  const std::string_view unit = find_measure(hypothesis.measure)->unit;
  return fmt::format("{}{}{}", four_digits(value), unit.empty() ? "" : " ", unit);
}

AnswerTable hypotheses_table(const Results& results) {
  AnswerTable table{
      "Hypotheses",
      "Paired by seed, with 95 % bootstrap intervals; p corrected for all hypotheses (Holm). Where the "
      "contrast is a ratio, means are geometric. n is the number of agents.",
      {"hypothesis", "measured by", "outcome", "figures"},
      {}};
  const std::vector<HypothesisVerdict> verdicts = judge_hypotheses(results);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const Hypothesis& hypothesis = results.names.hypotheses[i];
    const Measure* measure = find_measure(hypothesis.measure);
    std::string what = measure ? std::string(measure->title) : hypothesis.measure;
    if (hypothesis.aspect == Aspect::growth) what = fmt::format("growth of {} with n", what);
    if (hypothesis.aspect == Aspect::failure) what += " with a failure ÷ without";
    table.rows.push_back(
        {hypothesis.text, what, std::string(name(verdicts[i].outcome)), in_words(hypothesis, verdicts[i])});
  }
  return table;
}

AnswerTable goals_table(const Results& results) {
  AnswerTable table{"Goals",
                    "Geometric means over workloads and seeds, with 95 % bootstrap intervals, of the best "
                    "of the goal's strategies.",
                    {"goal", "setting", "best strategy", "measure", "figure", "at most", ""},
                    {}};
  const ExperimentNames& names = results.names;
  const auto verdicts = judge_goals(results);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const GoalSpec& goal = names.goals[i];
    const Measure* known = find_measure(goal.measure);
    const std::string measure = (known ? std::string(known->title) : goal.measure) +
                                (goal.against.empty() ? "" : ", ÷ " + goal.against);
    const std::string limit = format_micros(goal.at_most);
    if (verdicts[i].empty()) table.rows.push_back({goal.text, "–", "–", measure, "–", limit, "not measured"});
    for (const GoalFigure& f : verdicts[i])
      table.rows.push_back(
          {&f == &verdicts[i].front() ? goal.text : "", setting_name(names, f.agents, f.faults),
           names.strategies[f.strategy], measure,
           f.figure.pairs > 0 ? fmt::format("{} {}", four_digits(f.figure.ratio), interval(f.figure.ci))
                              : "–",
           limit,
           f.unfinished > 0 ? fmt::format("missed: {} did not finish", counted(f.unfinished, "run"))
           : f.met          ? "met"
                            : "missed"});
  }
  return table;
}

/// Each kind of agents once.
std::vector<std::string> kinds_of(const ExperimentNames& names) {
  std::vector<std::string> kinds;
  for (const std::string& kind : names.agent_kinds)
    if (std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(kind);
  return kinds;
}

AnswerTable growth_table(const Results& results) {
  AnswerTable table{"Growth with the number n of agents, fitted",
                    "Power laws by least squares on logarithms, in runs without faults; 95 % bootstrap "
                    "intervals of the exponents.",
                    {"agents", "strategy"},
                    {}};
  for (const std::string_view cost : costs) {
    const Measure& measure = *find_measure(cost);
    table.head.push_back(std::string(measure.title) +
                         (measure.unit.empty() ? "" : ", " + std::string(measure.unit)));
  }
  for (const std::string& kind : kinds_of(results.names))
    for (std::size_t s = 0; s < results.names.strategies.size(); ++s) {
      std::vector<std::string> row{kind, results.names.strategies[s]};
      bool any = false;
      for (const std::string_view cost : costs) {
        const std::optional<Growth> growth = growth_of(results, cost, s, kind);
        any = any || growth;
        row.push_back(growth ? fmt::format("{} n^{} {}", four_digits(growth->law.factor),
                                           two_decimals(growth->law.exponent),
                                           interval(growth->exponent, two_decimals))
                             : "–");
      }
      if (any) table.rows.push_back(std::move(row));
    }
  return table;
}

std::string mean_in_words(const Measure& measure, const std::vector<double>& values) {
  if (values.empty()) return "–";
  const Interval ci = is_geometric(measure) ? summarise(values).ci : mean_interval(values);
  return fmt::format("{} {}", four_digits(mean(measure, values)), interval(ci));
}

/// What outages of accounts cost, over all runs, finished or not.
AnswerTable accounts_table(const Results& results) {
  AnswerTable table{
      "Accounts",
      "Means with 95 % bootstrap intervals over all runs, finished or not; makespan / bound over the "
      "runs that the strategy finished, so it cannot be compared where others finished more.",
      {"setting", "strategy", "finished"},
      {}};
  constexpr std::array<std::string_view, 5> shown{"done", "used_up", "calls_refused", "billed",
                                                  "bound_ratio"};
  for (const std::string_view name : shown) {
    const Measure& measure = *find_measure(name);
    table.head.push_back(std::string(measure.title) +
                         (measure.unit.empty() ? "" : fmt::format(", {}", measure.unit)));
  }
  const ExperimentNames& names = results.names;
  for (std::size_t a = 0; a < names.agents.size(); ++a)
    for (std::size_t f = 0; f < names.faults.size(); ++f)
      for (const std::string& strategy : names.strategies) {
        const Where here{names.workloads, {names.agents[a]}, {names.faults[f]}};
        const std::size_t runs = values_of(results, "calls_refused", strategy, here).size();
        if (runs == 0) continue;
        std::vector<std::string> row{
            setting_name(names, a, f), strategy,
            fmt::format("{} of {}", runs - unfinished_of(results, strategy, here).size(), runs)};
        for (const std::string_view name : shown)
          row.push_back(
              mean_in_words(*find_measure(name), numbers(values_of(results, name, strategy, here))));
        table.rows.push_back(std::move(row));
      }
  return table;
}

/// Compares live runs with the same runs in the simulator.
AnswerTable live_table(const Results& results) {
  AnswerTable table{
      "Real processes compared with the simulator",
      "Makespan ÷ that of the same run in the simulator: geometric mean with its 95 % bootstrap "
      "interval, and the largest. Real runs add the start of a process and the latency of messages to each "
      "task. "
      "Where agents compete for tasks, a different agent can win than in the simulator; if speeds differ, "
      "single "
      "runs then get shorter or longer.",
      {"setting", "strategy", "real ÷ simulated", "largest", "award → start, ms"},
      {}};
  const ExperimentNames& names = results.names;
  for (const std::string& agents : names.agents)
    for (const std::string& strategy : names.strategies) {
      const Where here{names.workloads, {agents}, names.faults};
      const std::vector<double> ratios = numbers(values_of(results, "against_simulated", strategy, here));
      const std::vector<double> delays = numbers(values_of(results, "start_delay", strategy, here));
      if (ratios.empty() || delays.empty()) continue;
      const Comparison mean = summarise(ratios);
      table.rows.push_back({agents, strategy,
                            fmt::format("{} {}", four_digits(mean.ratio), interval(mean.ci)),
                            four_digits(std::ranges::max(ratios)), two_decimals(1000 * mean_of(delays))});
    }
  return table;
}

}  // namespace

std::string_view name(HypothesisOutcome outcome) {
  constexpr std::array<std::string_view, 4> names{"upheld", "refuted", "no difference", "not measured"};
  return names[static_cast<std::size_t>(outcome)];
}

std::vector<HypothesisVerdict> judge_hypotheses(const Results& results) {
  std::vector<HypothesisVerdict> verdicts;
  std::vector<double> p;
  for (const Hypothesis& hypothesis : results.names.hypotheses) {
    verdicts.push_back(contrast(results, hypothesis));
    p.push_back(verdicts.back().contrast.p);
  }
  const std::vector<double> corrected = holm(p);
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    HypothesisVerdict& verdict = verdicts[i];
    verdict.contrast.p = corrected[i];
    if (verdict.contrast.pairs == 0) continue;
    const double effect = verdict.as_ratio ? std::log(verdict.contrast.mean) : verdict.contrast.mean;
    verdict.outcome =
        corrected[i] > noise_level || std::abs(effect) < least_effect(results.names.hypotheses[i], verdict)
            ? HypothesisOutcome::no_difference
        : effect > 0 ? HypothesisOutcome::upheld
                     : HypothesisOutcome::refuted;
  }
  return verdicts;
}

std::string in_words(const Hypothesis& hypothesis, const HypothesisVerdict& verdict) {
  if (verdict.outcome == HypothesisOutcome::not_measured) return "–";
  const Difference& c = verdict.contrast;
  const auto number = hypothesis.aspect == Aspect::growth ? two_decimals : four_digits;
  const std::string left_out = verdict.unfinished > 0 ? fmt::format("; {} that did not finish left out",
                                                                    counted(verdict.unfinished, "run"))
                                                      : "";
  return fmt::format(
      "{} {}, {} {}; {} {} {}, p = {}, {}{}", hypothesis.more, side_in_words(hypothesis, verdict.more),
      hypothesis.less, side_in_words(hypothesis, verdict.less), verdict.as_ratio ? "ratio" : "difference",
      number(c.mean), interval(c.ci, number), four_digits(c.p), counted(c.pairs, "pair"), left_out);
}

std::vector<std::vector<GoalFigure>> judge_goals(const Results& results) {
  struct Runs {
    std::vector<double> values;
    std::size_t unfinished = 0;
  };
  const auto rank = [](const GoalFigure& f) {
    return std::tuple(f.unfinished, f.figure.pairs == 0, f.figure.ratio);
  };
  std::vector<std::vector<GoalFigure>> verdicts;
  for (const GoalSpec& goal : results.names.goals) {
    std::map<std::pair<std::size_t, std::size_t>, GoalFigure> best;  // by agents and faults
    for (const std::size_t s : places(results.names.strategies, goal.strategies)) {
      std::map<std::pair<std::size_t, std::size_t>, Runs> settings;
      const Values own = values_of(results, goal.measure, results.names.strategies[s], goal.where);
      const Values others =
          goal.against.empty() ? own : values_of(results, goal.measure, goal.against, goal.where);
      for (const auto& [unit, value] : own)
        if (const auto other = others.find(unit); other != others.end() && value > 0 && other->second > 0)
          settings[{unit[agents_place], unit[faults_place]}].values.push_back(
              goal.against.empty() ? value : value / other->second);
      if (!counts_always(goal.measure))
        for (const auto& [unit, tasks] : unfinished_of(results, results.names.strategies[s], goal.where))
          ++settings[{unit[agents_place], unit[faults_place]}].unfinished;
      for (const auto& [setting, runs] : settings) {
        GoalFigure mine{setting.first, setting.second, s, {}, runs.unfinished, false};
        if (!runs.values.empty()) mine.figure = summarise(runs.values);
        mine.met = runs.unfinished == 0 && mine.figure.ratio <= from_micros(goal.at_most);
        const auto [before, first] = best.try_emplace(setting, mine);
        if (!first && rank(mine) < rank(before->second)) before->second = mine;
      }
    }
    verdicts.emplace_back();
    for (const auto& [setting, figure] : best) verdicts.back().push_back(figure);
  }
  return verdicts;
}

std::optional<Growth> growth_of(const Results& results, std::string_view measure, std::size_t strategy,
                                std::string_view kind) {
  const ExperimentNames& names = results.names;
  Where where{names.workloads, {}, {names.faults.front()}};
  for (std::size_t i = 0; i < names.agents.size(); ++i)
    if (names.agent_kinds[i] == kind) where.agents.push_back(names.agents[i]);
  if (!unfinished_of(results, names.strategies[strategy], where).empty()) return {};
  const Values values = values_of(results, measure, names.strategies[strategy], where);
  std::vector<double> x, y;
  for (const auto& [unit, value] : values)
    x.push_back(static_cast<double>(names.agent_counts[unit[agents_place]])), y.push_back(value);
  if (std::set(x.begin(), x.end()).size() < least_counts || !std::ranges::all_of(y, is_positive)) return {};
  return Growth{fit_power_law(x, y), mean_interval(numbers(exponents_of(results, values)))};
}

std::vector<AnswerTable> answer_tables(const Results& results) {
  std::vector<AnswerTable> tables{hypotheses_table(results), goals_table(results), accounts_table(results),
                                  live_table(results), growth_table(results)};
  std::erase_if(tables, [](const AnswerTable& table) { return table.rows.empty(); });
  return tables;
}

std::string four_digits(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

}  // namespace bidboard
