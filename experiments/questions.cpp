#include "experiments/questions.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "blackboard/fmt.hpp"
#include "experiments/results.hpp"
#include "runtime/jobs/key_table.hpp"

namespace bidboard {
namespace {

using Word = std::pair<std::string, Place>;
using Words = std::optional<std::vector<Word>>;

/// As written in the file; resolved once the names in the rest of the file are known.
struct WhereEntry {
  Words workloads;
  Words agents;
  Words faults;
};
struct HypothesisEntry {
  Hypothesis hypothesis;
  Word measure, more, less;
  WhereEntry where;
};
struct GoalEntry {
  GoalSpec goal;
  Word measure, against;
  Words strategies;
  WhereEntry where;
};

constexpr std::array<std::string_view, 3> aspects{"value", "growth", "failure"};
constexpr std::string_view traces = "traces";

Word word(KeyReader& reader, const Value& value) { return {reader.name(value).value_or(""), value.place}; }

template <class Entry>
constexpr Key<Entry> measure_key{
    {"measure", "name of a measure", "required", "the measure that is compared (docs/metrics.md)"},
    [](KeyReader& r, const Value& v, Entry& e) { e.measure = word(r, v); }};
template <class Entry>
constexpr Key<Entry> workloads_key{
    {"workloads", "list of names, or traces", "all", "only runs of these workloads"},
    [](KeyReader& r, const Value& v, Entry& e) { e.where.workloads = r.words(v); }};
template <class Entry>
constexpr Key<Entry> agents_key{{"agents", "list of names", "all", "only runs with these agents"},
                                [](KeyReader& r, const Value& v, Entry& e) { e.where.agents = r.words(v); }};
template <class Entry>
constexpr Key<Entry> faults_key{{"faults", "list of names", "all", "only runs with these faults"},
                                [](KeyReader& r, const Value& v, Entry& e) { e.where.faults = r.words(v); }};

constexpr std::array<Key<HypothesisEntry>, 8> hypothesis_table{{
    {{"hypothesis", "text", "required", "the statement, in words"},
     [](KeyReader& r, const Value& v, HypothesisEntry& e) { e.hypothesis.text = r.text(v).value_or(""); }},
    measure_key<HypothesisEntry>,
    {{"as", "value, growth or failure", "value",
      "the measure itself, its exponent over the numbers of agents, or what it is under faults ÷ without"},
     [](KeyReader& r, const Value& v, HypothesisEntry& e) {
       const std::string chosen = r.choice(v, {aspects.begin(), aspects.end()}).value_or("value");
       e.hypothesis.aspect = static_cast<Aspect>(std::ranges::find(aspects, chosen) - aspects.begin());
     }},
    {{"more", "name of a strategy", "required", "the strategy with the larger value if the hypothesis holds"},
     [](KeyReader& r, const Value& v, HypothesisEntry& e) { e.more = word(r, v); }},
    {{"less", "name of a strategy", "required", "the strategy with the smaller value"},
     [](KeyReader& r, const Value& v, HypothesisEntry& e) { e.less = word(r, v); }},
    workloads_key<HypothesisEntry>,
    agents_key<HypothesisEntry>,
    faults_key<HypothesisEntry>,
}};

constexpr std::array<Key<GoalEntry>, 8> goal_table{{
    {{"goal", "text", "required", "the goal, in words"},
     [](KeyReader& r, const Value& v, GoalEntry& e) { e.goal.text = r.text(v).value_or(""); }},
    measure_key<GoalEntry>,
    {{"at_most", "number", "required",
      "limit for each group of agents and each fault; compared with the geometric mean over workloads and "
      "seeds"},
     [](KeyReader& r, const Value& v, GoalEntry& e) {
       e.goal.at_most = r.number(v, 0, 1e6, true).value_or(0);
     }},
    {{"against", "name of a strategy", "none", "compare the measure ÷ that of this strategy"},
     [](KeyReader& r, const Value& v, GoalEntry& e) { e.against = word(r, v); }},
    {{"strategies", "list of names", "all", "the best of these must reach it"},
     [](KeyReader& r, const Value& v, GoalEntry& e) { e.strategies = r.words(v); }},
    workloads_key<GoalEntry>,
    agents_key<GoalEntry>,
    faults_key<GoalEntry>,
}};

template <class Spec>
std::vector<std::string> names_in(const std::vector<Spec>& specs) {
  std::vector<std::string> names;
  for (const Spec& spec : specs) names.push_back(spec.name);
  return names;
}

/// Looks up the names that hypotheses and goals refer to in one experiment.
class Resolver {
 public:
  Resolver(const Experiment& experiment, Diagnostics& diagnostics)
      : experiment_(experiment), diagnostics_(diagnostics), strategies_(names_in(experiment.strategies)) {
    for (const Measure& measure : measures()) measures_.emplace_back(measure.name);
  }

  void require(const std::string& text, Place place, std::string_view key) {
    if (text.empty()) diagnostics_.add(place, "lacks " + quoted(key), fmt::format("add {}: ...", key));
  }
  std::string measure(const Word& word, Place place) { return one_of(measures_, word, place, "measure"); }
  std::string strategy(const Word& word, Place place, std::string_view key) {
    return one_of(strategies_, word, place, key);
  }
  std::vector<std::string> strategies(const Words& words) { return some_of(strategies_, words); }
  Where where(const WhereEntry& entry) {
    Where where;
    if (entry.workloads && entry.workloads->size() == 1 && entry.workloads->front().first == traces) {
      for (const WorkloadSpec& spec : experiment_.workloads)
        if (spec.shape == Shape::trace) where.workloads.push_back(spec.name);
    } else {
      where.workloads = some_of(names_in(experiment_.workloads), entry.workloads);
    }
    where.agents = some_of(names_in(experiment_.agents), entry.agents);
    where.faults = some_of(names_in(experiment_.faults), entry.faults);
    return where;
  }

 private:
  std::string one_of(const std::vector<std::string>& known, const Word& word, Place place,
                     std::string_view key) {
    require(word.first, place, key);
    if (!word.first.empty()) check(known, word);
    return word.first;
  }
  std::vector<std::string> some_of(const std::vector<std::string>& known, const Words& words) {
    if (!words) return known;
    std::vector<std::string> chosen;
    for (const Word& word : *words) check(known, word), chosen.push_back(word.first);
    return chosen;
  }
  void check(const std::vector<std::string>& known, const Word& word) {
    if (std::ranges::find(known, word.first) == known.end())
      diagnostics_.add(word.second, quoted(word.first) + " is not known here",
                       diagnostics_.suggest(word.first, known, "choose from " + list_in_words(known)));
  }

  const Experiment& experiment_;
  Diagnostics& diagnostics_;
  std::vector<std::string> strategies_;
  std::vector<std::string> measures_;
};

/// Reads a list of maps; `word` is the key of an entry's text.
template <class Entry, std::size_t n, class Take>
void read_each(const Value& list, std::string_view word, const std::array<Key<Entry>, n>& table,
               Diagnostics& diagnostics, Take&& take) {
  if (!list.is_array())
    return diagnostics.add(list.place, "must be a list", fmt::format("write [{{{}: ...}}]", word));
  for (const Value& value : list.array()) {
    KeyReader reader(diagnostics, std::string(word));
    if (!require_map(reader, value, fmt::format("{{{}: ..., measure: makespan}}", word))) continue;
    Entry entry;
    read_keys(reader, value, table, entry);
    take(entry, value.place);
  }
}

void set_where(Value& value, const Where& where) {
  value.set("workloads", list_of(where.workloads));
  value.set("agents", list_of(where.agents));
  value.set("faults", list_of(where.faults));
}
Where where_of(const Value& value) {
  return {words_of(value, "workloads"), words_of(value, "agents"), words_of(value, "faults")};
}

}  // namespace

void read_hypotheses(const Value& list, Experiment& experiment, Diagnostics& diagnostics) {
  Resolver resolver(experiment, diagnostics);
  read_each(list, "hypothesis", hypothesis_table, diagnostics, [&](HypothesisEntry& entry, Place place) {
    Hypothesis& hypothesis = entry.hypothesis;
    resolver.require(hypothesis.text, place, "hypothesis");
    hypothesis.measure = resolver.measure(entry.measure, place);
    hypothesis.more = resolver.strategy(entry.more, place, "more");
    hypothesis.less = resolver.strategy(entry.less, place, "less");
    hypothesis.where = resolver.where(entry.where);
    experiment.hypotheses.push_back(std::move(hypothesis));
  });
}

void read_goals(const Value& list, Experiment& experiment, Diagnostics& diagnostics) {
  Resolver resolver(experiment, diagnostics);
  read_each(list, "goal", goal_table, diagnostics, [&](GoalEntry& entry, Place place) {
    GoalSpec& goal = entry.goal;
    resolver.require(goal.text, place, "goal");
    goal.measure = resolver.measure(entry.measure, place);
    if (!entry.against.first.empty()) goal.against = resolver.strategy(entry.against, place, "against");
    goal.strategies = resolver.strategies(entry.strategies);
    goal.where = resolver.where(entry.where);
    if (goal.at_most == 0) diagnostics.add(place, "lacks 'at_most'", "add at_most: 1.05");
    experiment.goals.push_back(std::move(goal));
  });
}

std::string questions_reference() {
  return fmt::format("### A hypothesis\n\n{}\n### A goal\n\n{}",
                     markdown_table(infos<HypothesisEntry>(hypothesis_table)),
                     markdown_table(infos<GoalEntry>(goal_table)));
}

Value to_value(const Hypothesis& hypothesis) {
  Value value{Value::Object{}};
  value.set("hypothesis", hypothesis.text);
  value.set("measure", hypothesis.measure);
  value.set("as", aspects[static_cast<std::size_t>(hypothesis.aspect)]);
  value.set("more", hypothesis.more);
  value.set("less", hypothesis.less);
  set_where(value, hypothesis.where);
  return value;
}

Value to_value(const GoalSpec& goal) {
  Value value{Value::Object{}};
  value.set("goal", goal.text);
  value.set("measure", goal.measure);
  value.set("strategies", list_of(goal.strategies));
  value.set("against", goal.against);
  value.set("at_most", from_micros(goal.at_most));
  set_where(value, goal.where);
  return value;
}

Hypothesis read_hypothesis(const Value& value) {
  const auto aspect = std::ranges::find(aspects, text_of(value, "as"));
  return {text_of(value, "hypothesis"),
          text_of(value, "measure"),
          aspect == aspects.end() ? Aspect::value : static_cast<Aspect>(aspect - aspects.begin()),
          text_of(value, "more"),
          text_of(value, "less"),
          where_of(value)};
}

GoalSpec read_goal(const Value& value) {
  const Value* at_most = value.find("at_most");
  return {text_of(value, "goal"),
          text_of(value, "measure"),
          words_of(value, "strategies"),
          text_of(value, "against"),
          at_most && at_most->is_number() ? to_micros(at_most->number()) : 0,
          where_of(value)};
}

}  // namespace bidboard
