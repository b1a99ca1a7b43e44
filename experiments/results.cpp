#include "experiments/results.hpp"

#include <algorithm>
#include <charconv>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/csv.hpp"

namespace bidboard {
namespace {

/// Times are rounded to microseconds, task by task.
constexpr double least_bound_ratio = 0.999;

/// "8 agents, speed 0.5 to 2" → "agents, speed 0.5 to 2"; a name of its own stays.
std::string kind_of(const std::string& name, std::uint64_t count) {
  const std::string start = counted(count, "agent");
  return name.starts_with(start) ? "agents" + name.substr(start.size()) : name;
}

/// "w0.a1.f0.s2.17".
std::optional<Cell> cell_of(std::string_view name) {
  Cell cell;
  const auto number = [&](char letter, auto& out) {
    if (letter != 0 && (name.empty() || name.front() != letter)) return false;
    if (letter != 0) name.remove_prefix(1);
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), out);
    if (error != std::errc()) return false;
    name.remove_prefix(static_cast<std::size_t>(end - name.data()));
    if (!name.empty() && name.front() == '.') name.remove_prefix(1);
    return true;
  };
  if (number('w', cell.workload) && number('a', cell.agents) && number('f', cell.faults) &&
      number('s', cell.strategy) && number(0, cell.seed) && name.empty())
    return cell;
  return {};
}

}  // namespace

std::string text_of(const Value& value, std::string_view key) {
  const Value* member = value.find(key);
  return member && member->is_string() ? member->string() : "";
}

std::vector<std::string> words_of(const Value& value, std::string_view key) {
  std::vector<std::string> words;
  if (const Value* list = value.find(key); list && list->is_array())
    for (const Value& word : list->array())
      if (word.is_string()) words.push_back(word.string());
  return words;
}

Value list_of(const std::vector<std::string>& words) {
  Value list{Value::Array{}};
  for (const std::string& word : words) list.push(word);
  return list;
}

ExperimentNames names_of(const Experiment& experiment) {
  ExperimentNames names;
  names.name = experiment.name;
  names.about = experiment.about;
  names.mode = experiment.mode == Mode::live ? "live" : "simulate";
  names.baseline = experiment.baseline;
  names.seeds = experiment.seeds;
  for (const auto& spec : experiment.workloads) names.workloads.push_back(spec.name);
  for (const auto& spec : experiment.agents) names.agents.push_back(spec.name);
  for (const auto& spec : experiment.agents) names.agent_counts.push_back(spec.count);
  for (const auto& spec : experiment.agents)
    names.agent_kinds.push_back(kind_of(composed_name(spec), spec.count));
  for (const auto& spec : experiment.faults) names.faults.push_back(spec.name);
  for (const auto& spec : experiment.strategies) names.strategies.push_back(spec.name);
  names.hypotheses = experiment.hypotheses;
  names.goals = experiment.goals;
  return names;
}

std::string setting_name(const ExperimentNames& names, std::size_t agents, std::size_t faults) {
  return names.agents[agents] + (names.faults[faults] == "none" ? "" : " and " + names.faults[faults]);
}

std::size_t expected_runs(const ExperimentNames& names) {
  return names.workloads.size() * names.agents.size() * names.faults.size() * names.strategies.size() *
         names.seeds;
}

bool has_place(const ExperimentNames& names, const Cell& cell) {
  return cell.workload < names.workloads.size() && cell.agents < names.agents.size() &&
         cell.faults < names.faults.size() && cell.strategy < names.strategies.size() && cell.seed > 0;
}

bool is_finished(const RunRecord& run) {
  static const std::size_t unfinished = measure_position("unfinished");
  return run.measured[unfinished].value_or(0) == 0;
}

std::optional<double> value_of(const RunRecord& run, std::size_t measure) {
  if (!measures()[measure].always && !is_finished(run)) return {};
  return run.measured[measure];
}

bool is_below_bound(const Measured& measured) {
  static const std::size_t ratio = measure_position("bound_ratio");
  return measured[ratio] && *measured[ratio] < least_bound_ratio;
}

std::set<Results::Key> Results::compared(std::size_t agents, std::size_t faults) const {
  std::map<std::size_t, std::set<Key>> finished;  // by strategy
  for (const RunRecord& run : runs)
    if (run.cell.agents == agents && run.cell.faults == faults && is_finished(run))
      finished[run.cell.strategy].insert({run.cell.workload, run.cell.seed});
  if (finished.empty()) return {};
  std::set<Key> all = finished.begin()->second;
  for (const auto& [strategy, keys] : finished)
    std::erase_if(all, [&](const Key& key) { return !keys.contains(key); });
  return all;
}

std::map<Results::Key, double> Results::values(std::size_t measure, std::size_t agents, std::size_t faults,
                                               std::size_t strategy) const {
  std::map<Key, double> out;
  for (const RunRecord& run : runs)
    if (run.cell.agents == agents && run.cell.faults == faults && run.cell.strategy == strategy)
      if (const std::optional<double> value = value_of(run, measure))
        out[{run.cell.workload, run.cell.seed}] = *value;
  return out;
}

std::size_t measure_position(std::string_view name) {
  const auto& all = measures();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Measure& m) { return m.name == name; });
  BB_CHECK(found != all.end(), "only measures of the table are asked for");
  return static_cast<std::size_t>(found - all.begin());
}

Value to_value(const ExperimentNames& names, const RunRecord& run) {
  Value line{Value::Object{}};
  line.set("cell", name_of(run.cell));
  line.set("workload", names.workloads[run.cell.workload]);
  line.set("agents", names.agents[run.cell.agents]);
  line.set("faults", names.faults[run.cell.faults]);
  line.set("strategy", names.strategies[run.cell.strategy]);
  line.set("seed", run.cell.seed);
  for (std::size_t i = 0; i < measures().size(); ++i)
    if (run.measured[i]) line.set(measures()[i].name, *run.measured[i]);
  return line;
}

Result<RunRecord> read_run(const Value& line) {
  const auto cell = cell_of(text_of(line, "cell"));
  if (!cell) return fail(Errc::corrupt, "a run has no cell");
  RunRecord run{*cell, {}};
  for (const Measure& measure : measures()) {
    const Value* value = line.find(measure.name);
    run.measured.push_back(value && value->is_number() ? std::optional(value->number()) : std::nullopt);
  }
  return run;
}

Value to_value(const ExperimentNames& names) {
  Value value{Value::Object{}};
  value.set("name", names.name);
  value.set("about", names.about);
  value.set("mode", names.mode);
  value.set("baseline", names.baseline);
  value.set("seeds", names.seeds);
  value.set("workloads", list_of(names.workloads));
  value.set("agents", list_of(names.agents));
  Value counts{Value::Array{}};
  for (const std::uint64_t count : names.agent_counts) counts.push(count);
  value.set("agent_counts", std::move(counts));
  value.set("agent_kinds", list_of(names.agent_kinds));
  value.set("faults", list_of(names.faults));
  value.set("strategies", list_of(names.strategies));
  Value hypotheses{Value::Array{}};
  for (const Hypothesis& hypothesis : names.hypotheses) hypotheses.push(to_value(hypothesis));
  value.set("hypotheses", std::move(hypotheses));
  Value goals{Value::Array{}};
  for (const GoalSpec& goal : names.goals) goals.push(to_value(goal));
  value.set("goals", std::move(goals));
  return value;
}

Result<ExperimentNames> read_names(const Value& value) {
  ExperimentNames names;
  names.name = text_of(value, "name");
  names.about = text_of(value, "about");
  names.mode = text_of(value, "mode");
  names.baseline = text_of(value, "baseline");
  if (const Value* seeds = value.find("seeds"); seeds && seeds->is_integer())
    names.seeds = static_cast<std::uint64_t>(seeds->integer());
  names.workloads = words_of(value, "workloads");
  names.agents = words_of(value, "agents");
  if (const Value* counts = value.find("agent_counts"); counts && counts->is_array())
    for (const Value& count : counts->array())
      names.agent_counts.push_back(count.is_integer() ? static_cast<std::uint64_t>(count.integer()) : 0);
  names.agent_kinds = words_of(value, "agent_kinds");
  names.faults = words_of(value, "faults");
  names.strategies = words_of(value, "strategies");
  if (const Value* hypotheses = value.find("hypotheses"); hypotheses && hypotheses->is_array())
    for (const Value& hypothesis : hypotheses->array())
      names.hypotheses.push_back(read_hypothesis(hypothesis));
  if (const Value* goals = value.find("goals"); goals && goals->is_array())
    for (const Value& goal : goals->array()) names.goals.push_back(read_goal(goal));
  if (names.workloads.empty() || names.agents.empty() || names.faults.empty() || names.strategies.empty() ||
      names.agent_counts.size() != names.agents.size())
    return fail(Errc::corrupt, "not a description of an experiment");
  if (names.agent_kinds.size() != names.agents.size()) {  // of an earlier version
    names.agent_kinds.clear();
    for (std::size_t i = 0; i < names.agents.size(); ++i)
      names.agent_kinds.push_back(kind_of(names.agents[i], names.agent_counts[i]));
  }
  return names;
}

std::string to_csv(const Results& results) {
  std::string text = "cell,workload,agents,faults,strategy,seed";
  for (const Measure& measure : measures()) text += fmt::format(",{}", measure.name);
  text += "\n";
  for (const RunRecord& run : results.runs) {
    const Cell& cell = run.cell;
    text += fmt::format("{},{},{},{},{},{}", name_of(cell), csv_field(results.names.workloads[cell.workload]),
                        csv_field(results.names.agents[cell.agents]),
                        csv_field(results.names.faults[cell.faults]),
                        csv_field(results.names.strategies[cell.strategy]), cell.seed);
    for (std::size_t i = 0; i < measures().size(); ++i) {
      const std::optional<double> value = value_of(run, i);
      text += "," + (value ? to_json(Value(*value)) : "");
    }
    text += "\n";
  }
  return text;
}

}  // namespace bidboard
