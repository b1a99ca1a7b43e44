#include "experiments/experiment.hpp"

#include <algorithm>
#include <array>

#include "auction/clearing.hpp"
#include "blackboard/fmt.hpp"
#include "experiments/identity.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/jobs/key_table.hpp"

namespace bidboard {
namespace {

constexpr std::int64_t most_agents = 100'000;
constexpr std::int64_t most_tasks = 1'000'000;
constexpr std::int64_t most_seeds = 100'000;
constexpr std::int64_t most_attempts = 1'000;

/// One entry of `workloads`.
struct WorkloadEntry {
  std::string trace;
  Place trace_place;
  std::string generate;
  std::uint32_t tasks = 100;
  bool per_agent = false;
  std::string name;
  bool optional = false;
};
constexpr std::array<Key<WorkloadEntry>, 6> workload_table{{
    {{"trace", "path", "none",
      "recorded workflows (WfFormat, DOT or STG): a file, a folder, or a path with * and ?"},
     [](KeyReader& r, const Value& v, WorkloadEntry& e) {
       e.trace = r.text(v).value_or("");
       e.trace_place = v.place;
     }},
    {{"generate", "word", "none", "chain, coding-project, fork-join, layered or random"},
     [](KeyReader& r, const Value& v, WorkloadEntry& e) {
       e.generate = r.choice(v, generator_names()).value_or("");
     }},
    {{"tasks", "whole number", "100", "approximate number of generated tasks"},
     [](KeyReader& r, const Value& v, WorkloadEntry& e) {
       e.tasks = static_cast<std::uint32_t>(r.whole(v, 1, most_tasks).value_or(100));
     }},
    {{"tasks_per_agent", "whole number", "none",
      "tasks for each agent, instead of `tasks`; each layer is then as wide as the number of agents"},
     [](KeyReader& r, const Value& v, WorkloadEntry& e) {
       e.tasks = static_cast<std::uint32_t>(r.whole(v, 1, most_tasks).value_or(1));
       e.per_agent = true;
     }},
    {{"optional", "true or false", "false", "skip this workload if no trace matches"},
     [](KeyReader& r, const Value& v, WorkloadEntry& e) { e.optional = r.flag(v).value_or(false); }},
    {{"name", "text", "the generator and its size", "its name in the report"},
     [](KeyReader& r, const Value& v, WorkloadEntry& e) { e.name = r.name(v).value_or(""); }},
}};

struct AgentsEntry {
  AgentsSpec spec;
  std::vector<std::uint32_t> counts{4};
};
constexpr std::array<Key<AgentsEntry>, 7> agents_table{{
    {{"count", "whole number or list of them", "4",
      "number of agents; a list makes one group for each number"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) {
       e.counts.clear();
       const auto add = [&](const Value& count) {
         if (const auto number = r.whole(count, 1, most_agents))
           e.counts.push_back(static_cast<std::uint32_t>(*number));
       };
       if (v.is_array())
         for (const Value& count : v.array()) add(count);
       else
         add(v);
     }},
    {{"speed", "number or [slowest, fastest]", "1", "speeds are drawn uniformly between the two"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) {
       if (!v.is_array()) {
         e.spec.slowest = e.spec.fastest = r.number(v, 0, 1e6, true).value_or(one);
       } else if (v.array().size() == 2) {
         e.spec.slowest = r.number(v.array()[0], 0, 1e6, true).value_or(one);
         e.spec.fastest = r.number(v.array()[1], 0, 1e6, true).value_or(one);
         if (e.spec.slowest > e.spec.fastest)
           r.refuse(v.place, "must begin with the slower one", "swap the two");
       } else {
         r.refuse(v.place, "must be a number or two of them", "write speed: [0.5, 2]");
       }
     }},
    {{"capacity", "whole number", "1", "tasks at once, per agent"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) {
       e.spec.capacity = static_cast<std::uint32_t>(r.whole(v, 1, 1'000).value_or(1));
     }},
    {{"skills", "none or specialised", "none",
      "specialised: each agent has one or two of up to four skills, and each kind of task needs one"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) {
       e.spec.specialised = r.choice(v, {"none", "specialised"}).value_or("none") == "specialised";
     }},
    {{"error", "number", "0", "true durations differ from the estimates by up to this share, uniformly"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) { e.spec.error = r.number(v, 0, 1).value_or(0); }},
    {{"liars", "number", "0", "share of the agents that bid half of the time they need"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) { e.spec.liars = r.number(v, 0, 1).value_or(0); }},
    {{"name", "text", "composed from the other keys", "their name in the report"},
     [](KeyReader& r, const Value& v, AgentsEntry& e) { e.spec.name = r.name(v).value_or(""); }},
}};

constexpr std::array<Key<StrategySpec>, 9> strategy_table{{
    {{"auction", "word", "none", "auction with this mechanism"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       std::vector<std::string> known;
       for (const std::string_view mechanism : mechanism_names()) known.emplace_back(mechanism);
       e.strategy = "auction";
       e.mechanism = r.choice(v, known).value_or("sequential");
     }},
    {{"hierarchy", "whole number", "none",
      "hierarchy in which each manager has at most this many members; without it: sqrt(agents), rounded up"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       e.strategy = "hierarchy";
       e.span = static_cast<std::uint32_t>(r.whole(v, 2, most_agents).value_or(2));
     }},
    {{"bids", "proxy or live", "proxy", "who computes bids: the controller, or the agents when asked"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       e.live_bids = r.choice(v, {"proxy", "live"}).value_or("proxy") == "live";
     }},
    {{"calibrate", "true or false", "true", "correct bids by earlier deliveries"},
     [](KeyReader& r, const Value& v, StrategySpec& e) { e.calibrate = r.flag(v).value_or(true); }},
    {{"peer", "without-arbiter", "none",
      "agents agree without any controller; work that two of them do counts twice (mode: simulate)"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       e.strategy = "peer";
       e.arbiter = !r.choice(v, {"without-arbiter"}).has_value();
     }},
    {{"outages", "told or failures", "told",
      "how agents report outages of their accounts: class and stated time, or just a failed attempt"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       e.tells_outages = r.choice(v, {"told", "failures"}).value_or("told") == "told";
     }},
    {{"attempts", "whole number", "3", "attempts per task"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       e.attempts = static_cast<std::uint32_t>(r.whole(v, 1, most_attempts).value_or(3));
     }},
    {{"max_running", "whole number", "no limit", "tasks at once per account"},
     [](KeyReader& r, const Value& v, StrategySpec& e) {
       e.running_max = static_cast<std::uint32_t>(r.whole(v, 1, most_agents).value_or(1));
     }},
    {{"name", "text", "composed from the other keys", "its name in the report"},
     [](KeyReader& r, const Value& v, StrategySpec& e) { e.name = r.name(v).value_or(""); }},
}};

/// The keys of the file itself; the lists are read after them.
struct File {
  Experiment experiment;
  const Value* workloads = nullptr;
  const Value* agents = nullptr;
  const Value* strategies = nullptr;
  const Value* faults = nullptr;
  const Value* hypotheses = nullptr;
  const Value* goals = nullptr;
  const Value* full = nullptr;
};
/// The last row is a former name: refused with its replacement, and left out of the reference.
constexpr std::array<Key<File>, 14> file_table{{
    {{"name", "text", "required", "name of the experiment"},
     [](KeyReader& r, const Value& v, File& f) { f.experiment.name = r.name(v).value_or(""); }},
    {{"about", "text", "none", "its question, printed at the top of the report"},
     [](KeyReader& r, const Value& v, File& f) {
       f.experiment.about = r.text(v).value_or("");
       while (f.experiment.about.ends_with('\n')) f.experiment.about.pop_back();
     }},
    {{"mode", "simulate or live", "simulate", "virtual time, or real processes"},
     [](KeyReader& r, const Value& v, File& f) {
       const bool live = r.choice(v, {"simulate", "live"}).value_or("simulate") == "live";
       f.experiment.mode = live ? Mode::live : Mode::simulate;
     }},
    {{"seeds", "whole number", "10", "number of runs of each combination; all strategies use the same seeds"},
     [](KeyReader& r, const Value& v, File& f) {
       f.experiment.seeds = static_cast<std::uint32_t>(r.whole(v, 1, most_seeds).value_or(10));
     }},
    {{"baseline", "name of a strategy", "the first", "strategy that the others are compared with"},
     [](KeyReader& r, const Value& v, File& f) { f.experiment.baseline = r.name(v).value_or(""); }},
    {{"scale", "number", "critical path in 5 s", "mode live: seconds per estimated second"},
     [](KeyReader& r, const Value& v, File& f) {
       f.experiment.scale = r.number(v, 0, 1e6, true).value_or(0);
     }},
    {{"workloads", "list", "required", "the work: traces or generated tasks"},
     [](KeyReader&, const Value& v, File& f) { f.workloads = &v; }},
    {{"agents", "list", "[{count: 4}]", "groups of agents; each is run with every workload"},
     [](KeyReader&, const Value& v, File& f) { f.agents = &v; }},
    {{"strategies", "list", "required", "a strategy's name, {auction: MECHANISM} or {hierarchy: SPAN}"},
     [](KeyReader&, const Value& v, File& f) { f.strategies = &v; }},
    {{"faults", "list", "[none]", "faults that are injected"},
     [](KeyReader&, const Value& v, File& f) { f.faults = &v; }},
    {{"hypotheses", "list", "none", "statements about two strategies, to be upheld or refuted"},
     [](KeyReader&, const Value& v, File& f) { f.hypotheses = &v; }},
    {{"goals", "list", "none", "limits on measures, to be met or missed"},
     [](KeyReader&, const Value& v, File& f) { f.goals = &v; }},
    {{"full", "map", "none", "keys that replace those of the file if --full is given"},
     [](KeyReader&, const Value& v, File& f) { f.full = &v; }},
    {{"claims", "", "", ""},
     [](KeyReader& r, const Value& v, File&) {
       r.refuse(v.place, "is called 'hypotheses' now, and 'claim' in its entries 'hypothesis'",
                "rename both keys");
     }},
}};

std::string name_of(const StrategySpec& spec) {
  std::string text = spec.strategy;
  if (spec.strategy == "auction") text += fmt::format(" {}{}", spec.mechanism, spec.live_bids ? " live" : "");
  if (spec.span > 0) text += fmt::format(" of {}", spec.span);
  if (!spec.arbiter) text += " without arbiter";
  if (!spec.calibrate) text += ", not calibrated";
  if (!spec.tells_outages) text += ", plain retries";
  if (spec.attempts > 0) text += fmt::format(", {}", counted(spec.attempts, "attempt"));
  if (spec.running_max > 0) text += fmt::format(", {} at once", spec.running_max);
  return text;
}

class ExperimentReader {
 public:
  ExperimentReader(const std::string& file, const ExperimentSurroundings& surroundings)
      : diagnostics_(file), surroundings_(surroundings) {}

  Result<Experiment> read(const Value& document) {
    KeyReader reader(diagnostics_, "");
    if (!require_map(reader, document, "name: tour")) return fail(diagnostics_.error());
    read_keys(reader, document, file_table, file_);
    if (file_.full && require_map(reader, *file_.full, "full: {seeds: 50}") && surroundings_.full) {
      const Value* full = file_.full;
      read_keys(reader, *full, file_table, file_);
    }
    if (file_.experiment.name.empty() && diagnostics_.empty())
      diagnostics_.add(document.place, "an experiment needs a name", "add name: ...");
    each(file_.workloads, "workloads", document.place, [&](const Value& v) { read_workload(v); });
    each(file_.agents, {}, document.place, [&](const Value& v) { read_agents(v); });
    each(file_.strategies, "strategies", document.place, [&](const Value& v) { read_strategy(v); });
    each(file_.faults, {}, document.place, [&](const Value& v) {
      if (std::optional<FaultsSpec> spec = read_faults(v, diagnostics_))
        file_.experiment.faults.push_back(std::move(*spec));
    });
    if (!file_.agents) add_agents({});
    if (!file_.faults) file_.experiment.faults.push_back({});
    check(document.place);
    if (file_.hypotheses) read_hypotheses(*file_.hypotheses, file_.experiment, diagnostics_);
    if (file_.goals) read_goals(*file_.goals, file_.experiment, diagnostics_);
    if (!diagnostics_.empty()) return fail(diagnostics_.error());
    return std::move(file_.experiment);
  }

 private:
  /// `required`: its name when it must be there.
  template <class Read>
  void each(const Value* list, std::string_view required, Place document, Read&& read) {
    if (!list) {
      if (!required.empty())
        diagnostics_.add(document, fmt::format("an experiment needs {}", required),
                         fmt::format("add {}: [...]", required));
      return;
    }
    if (!list->is_array() || list->array().empty())
      return diagnostics_.add(list->place, "must be a list that is not empty", "write [ ... ]");
    for (const Value& element : list->array()) read(element);
  }

  void read_workload(const Value& value) {
    KeyReader reader(diagnostics_, "workload");
    WorkloadEntry entry;
    if (!require_map(reader, value, "{generate: fork-join, tasks: 200}")) return;
    read_keys(reader, value, workload_table, entry);
    if (entry.trace.empty() == entry.generate.empty())
      return diagnostics_.add(value.place, "a workload is either a trace or generated",
                              "write {trace: FILE} or {generate: fork-join, tasks: 200}");
    if (!entry.trace.empty()) return read_traces(entry);
    WorkloadSpec spec;
    for (const Shape shape :
         {Shape::chain, Shape::fork_join, Shape::layered, Shape::random, Shape::coding_project})
      if (name(shape) == entry.generate) spec.shape = shape;
    spec.tasks = entry.tasks;
    spec.per_agent = entry.per_agent;
    spec.name = !entry.name.empty() ? entry.name
                                    : fmt::format("{} {}{}", entry.generate, entry.tasks,
                                                  entry.per_agent ? " per agent" : "");
    const std::string origin = spec.name;
    add_workload(std::move(spec), origin);
  }

  /// The same work twice would count as two independent measurements.
  void add_workload(WorkloadSpec spec, const std::string& origin) {
    std::vector<WorkloadSpec>& workloads = file_.experiment.workloads;
    const auto same = [&](const WorkloadSpec& other) { return same_work(other, spec); };
    if (const auto found = std::ranges::find_if(workloads, same); found != workloads.end()) {
      file_.experiment.notes.push_back(fmt::format("{} is the same work as workload {}, and is left out",
                                                   quoted(origin), quoted(found->name)));
      return;
    }
    const std::string first_name = spec.name;
    for (int number = 2; std::ranges::find(workloads, spec.name, &WorkloadSpec::name) != workloads.end();
         ++number)
      spec.name = fmt::format("{} ({})", first_name, number);
    workloads.push_back(std::move(spec));
  }

  void read_traces(const WorkloadEntry& entry) {
    const std::vector<std::string> files = surroundings_.find(entry.trace);
    if (files.empty() && entry.optional) return;
    if (files.empty())
      return diagnostics_.add(entry.trace_place, fmt::format("no trace matches {}", quoted(entry.trace)),
                              "paths are relative to the experiment file");
    for (const std::string& file : files) {
      const Result<std::string> text = surroundings_.read(file);
      Result<Plan> plan = text ? read_plan(*text, file, {}) : Result<Plan>(fail(text.error()));
      if (!plan) {
        diagnostics_.add(entry.trace_place, plan.error().text);
        continue;
      }
      WorkloadSpec spec;
      spec.name = entry.name.empty() || files.size() > 1 ? stem(file) : entry.name;
      spec.trace = std::move(*plan);
      add_workload(std::move(spec), file);
    }
  }

  void read_agents(const Value& value) {
    KeyReader reader(diagnostics_, "agents");
    AgentsEntry entry;
    entry.spec.place = value.place;
    if (!require_map(reader, value, "{count: 8}")) return;
    read_keys(reader, value, agents_table, entry);
    add_agents(entry);
  }
  void add_agents(const AgentsEntry& entry) {
    for (const std::uint32_t count : entry.counts) {
      AgentsSpec spec = entry.spec;
      spec.count = count;
      if (spec.name.empty() || entry.counts.size() > 1) spec.name = composed_name(spec);
      file_.experiment.agents.push_back(std::move(spec));
    }
  }

  void read_strategy(const Value& value) {
    KeyReader reader(diagnostics_, "strategy");
    StrategySpec spec;
    spec.place = value.place;
    if (value.is_string()) {
      spec.strategy = reader.choice(value, strategy_names()).value_or("");
      if (spec.strategy.empty()) return;
    } else {
      if (!require_map(reader, value, "{auction: optimal}")) return;
      read_keys(reader, value, strategy_table, spec);
      if (spec.strategy.empty())
        return diagnostics_.add(
            value.place, "a strategy with settings is an auction, a hierarchy or peer",
            "write {auction: optimal}, {hierarchy: 4}, {peer: without-arbiter}, or a strategy's name alone");
    }
    if (spec.name.empty()) spec.name = name_of(spec);
    file_.experiment.strategies.push_back(std::move(spec));
  }

  /// What fits together, and names that say which is which.
  void check(Place document) {
    Experiment& e = file_.experiment;
    for (const FaultsSpec& faults : e.faults)
      for (const AgentsSpec& agents : e.agents)
        if (faults.kill_agents >= agents.count && faults.kill_agents > 0)
          diagnostics_.add(faults.place,
                           fmt::format("kills {} of {}: no agent is left to finish the work",
                                       faults.kill_agents, counted(agents.count, "agent")),
                           "kill fewer, or add agents");
    for (const WorkloadSpec& workload : e.workloads)
      for (const AgentsSpec& agents : e.agents)
        if (workload.per_agent && std::int64_t{workload.tasks} * agents.count > most_tasks)
          diagnostics_.add(agents.place,
                           fmt::format("{} agents make more than a million tasks", agents.count),
                           "lower tasks_per_agent, or count");
    for (const FaultsSpec& faults : e.faults)
      for (const StrategySpec& strategy : e.strategies)
        if (faults.accounts && !strategy.arbiter)
          diagnostics_.add(faults.place, "without an arbiter nobody knows which accounts rest",
                           "leave out accounts, or {peer: without-arbiter}");
    if (e.mode == Mode::live) check_live();
    refuse_twins(e.agents, same_agents);
    refuse_twins(e.strategies, [](const StrategySpec&, const StrategySpec&) { return false; });
    refuse_twins(e.faults, same_faults);
    if (e.strategies.empty()) return;
    if (e.baseline.empty()) e.baseline = e.strategies.front().name;
    std::vector<std::string> names;
    for (const StrategySpec& spec : e.strategies) names.push_back(spec.name);
    if (std::find(names.begin(), names.end(), e.baseline) == names.end())
      diagnostics_.add(document, fmt::format("baseline {} is not one of the strategies", quoted(e.baseline)),
                       diagnostics_.suggest(e.baseline, names, "choose from " + list_in_words(names)));
  }
  /// What real processes cannot do.
  void check_live() {
    const std::string remedy = "use mode: simulate";
    for (const AgentsSpec& agents : file_.experiment.agents) {
      if (agents.count > 200)
        diagnostics_.add(agents.place, fmt::format("{} live agents are too many processes", agents.count),
                         remedy);
      if (agents.error > 0)
        diagnostics_.add(agents.place,
                         "live agents take exactly the estimated time, so `error` cannot be used", remedy);
    }
    for (const StrategySpec& strategy : file_.experiment.strategies)
      if (!strategy.arbiter)
        diagnostics_.add(strategy.place,
                         "live runs always have a controller, so without-arbiter cannot be used",
                         "use mode: simulate, or write peer");
    for (const FaultsSpec& faults : file_.experiment.faults)
      if (faults.kill_controller || faults.loss > 0 || faults.partition.us > 0 || faults.accounts)
        diagnostics_.add(faults.place, "in live runs the only possible fault is kill_agents", remedy);
  }
  template <class Spec, class Same>
  void refuse_twins(const std::vector<Spec>& specs, Same&& same) {
    for (std::size_t i = 0; i < specs.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (specs[i].name == specs[k].name)
          diagnostics_.add(specs[i].place, fmt::format("{} is defined twice", quoted(specs[i].name)),
                           "remove one of them, or give it another name");
        else if (same(specs[i], specs[k]))
          diagnostics_.add(specs[i].place,
                           fmt::format("{} is the same as {}", quoted(specs[i].name), quoted(specs[k].name)),
                           "remove one of them");
  }

  Diagnostics diagnostics_;
  const ExperimentSurroundings& surroundings_;
  File file_;
};

}  // namespace

std::string composed_name(const AgentsSpec& spec) {
  std::string text = counted(spec.count, "agent");
  if (spec.slowest != spec.fastest)
    text += fmt::format(", speed {} to {}", format_micros(spec.slowest), format_micros(spec.fastest));
  else if (spec.slowest != one)
    text += fmt::format(", speed {}", format_micros(spec.slowest));
  if (spec.capacity != 1) text += fmt::format(", capacity {}", spec.capacity);
  if (spec.specialised) text += ", specialised";
  if (spec.error > 0) text += fmt::format(", estimates ±{} %", format_micros(spec.error * 100));
  if (spec.liars > 0) text += fmt::format(", {} % liars", format_micros(spec.liars * 100));
  return text;
}

Result<Experiment> read_experiment(std::string_view text, const std::string& file,
                                   const ExperimentSurroundings& surroundings) {
  const auto document = parse_yaml(text);
  if (!document) return fail(document.error().code, fmt::format("{}:{}", file, document.error().text));
  return ExperimentReader(file, surroundings).read(*document);
}

std::string experiment_reference() {
  const std::span<const Key<File>> documented = std::span(file_table).first(file_table.size() - 1);
  return fmt::format(
      "### The file\n\n{}\n### A workload\n\n{}\n### Agents\n\n{}\n### A strategy\n\n{}\n### "
      "Faults\n\n{}\n{}",
      markdown_table(infos<File>(documented)), markdown_table(infos<WorkloadEntry>(workload_table)),
      markdown_table(infos<AgentsEntry>(agents_table)), markdown_table(infos<StrategySpec>(strategy_table)),
      faults_reference(), questions_reference());
}

}  // namespace bidboard
