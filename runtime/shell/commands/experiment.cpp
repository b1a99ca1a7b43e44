// experiment: compares coordination strategies by measurement.
#include <glob.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <thread>

#include "blackboard/fmt.hpp"
#include "experiments/drivers/runner.hpp"
#include "experiments/hypotheses.hpp"
#include "experiments/report.hpp"
#include "experiments/verdict.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/workforce.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

struct ExperimentArgs {
  std::string verb;
  std::vector<std::string> paths;
  std::string out;
  std::string cell;
  std::string note;
  bool full = false;
  bool dry_run = false;
  bool json = false;
  bool markdown = false;
};

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value != 0 && std::abs(value) < 0.01 ? "%.1e" : "%.4g", value);
  return text;
}

/// The files that match the pattern, or the .json files of a folder.
std::vector<std::string> find_files(const fs::path& base, const std::string& pattern) {
  fs::path path = fs::path(pattern).is_absolute() ? fs::path(pattern) : base / pattern;
  if (fs::is_directory(path)) path /= "*.json";
  glob_t found{};
  std::vector<std::string> files;
  if (::glob(path.c_str(), 0, nullptr, &found) == 0)
    for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
  ::globfree(&found);
  return files;
}

struct Loaded {
  Experiment experiment;
  std::string source;
};

Result<Loaded> load(const std::string& file, bool full) {
  const Result<std::string> text = read_text("@" + file);
  if (!text) return fail(text.error());
  const fs::path base = fs::path(file).parent_path();
  ExperimentSurroundings surroundings;
  surroundings.find = [&](const std::string& pattern) { return find_files(base, pattern); };
  surroundings.read = [](const std::string& path) { return read_text("@" + path); };
  surroundings.full = full;
  Result<Experiment> experiment = read_experiment(*text, file, surroundings);
  if (!experiment) return fail(experiment.error());
  return Loaded{std::move(*experiment), *text + (full ? "full" : "")};
}

/// Version and machine, kept with the results.
std::string made_by() {
  utsname system{};
  ::uname(&system);
  return fmt::format("Bidboard " BIDBOARD_VERSION " on {} {}, {}.", system.sysname, system.machine,
                     counted(std::thread::hardware_concurrency(), "core"));
}

void show_progress(std::size_t done, std::size_t total, double seconds_left) {
  static const bool on_terminal = ::isatty(STDERR_FILENO) != 0;
  const std::string left = format_duration(seconds(static_cast<std::int64_t>(seconds_left)));
  if (on_terminal)
    write_error(fmt::format("\r{} of {} runs, {} left   {}", done, total, left, done == total ? "\n" : ""));
  else if (done == total || done % std::max<std::size_t>(1, total / 10) == 0)
    hint("{} of {} runs, {} left", done, total, left);
}

void print_standings(const Results& results) {
  const Verdict verdict = judge(results);
  Table table({"AGENTS", "FAULTS", "STRATEGY", "× BOUND", "95 %", "AGAINST BEST", ""});
  for (const SettingVerdict& setting : verdict.settings)
    for (const Standing& s : setting.standings)
      table.add({results.names.agents[setting.agents], results.names.faults[setting.faults],
                 results.names.strategies[s.strategy], rounded(s.to_bound.ratio),
                 fmt::format("{} to {}", rounded(s.to_bound.ci.low), rounded(s.to_bound.ci.high)),
                 fmt::format("× {}", rounded(s.to_best.ratio)), s.as_good_as_best ? "best, or noise" : ""});
  table.print();
  for (const AnswerTable& answers : answer_tables(results)) {
    say("\n{}. {}", answers.title, answers.note);
    Table shown({answers.head.begin(), answers.head.end()});
    for (const std::vector<std::string>& row : answers.rows) shown.add({row.begin(), row.end()});
    shown.print();
  }
  say("\n{}", Shown::lines(answer(results, verdict)));
}

Result<Exit> run_one_cell(const Experiment& experiment, const std::string& name, bool json) {
  const Result<Cell> cell = parse_cell(experiment, name);
  if (!cell) return fail(cell.error());
  RunFacts facts;
  const Result<RunRecord> run = run_cell(experiment, *cell, own_program(), facts);
  if (!run) return fail(run.error());
  if (json) {
    print_json(to_value(names_of(experiment), *run));
    return Exit::ok;
  }
  Table table({"MEASURE", "VALUE", "UNIT"});
  for (std::size_t i = 0; i < measures().size(); ++i)
    if (run->measured[i])
      table.add(
          {std::string(measures()[i].title), rounded(*run->measured[i]), std::string(measures()[i].unit)});
  table.print();
  return Exit::ok;
}

Result<Exit> run(const ExperimentArgs& args) {
  const Result<Loaded> loaded = load(args.paths.front(), args.full);
  if (!loaded) return fail(loaded.error());
  const Experiment& experiment = loaded->experiment;
  if (!args.cell.empty()) return run_one_cell(experiment, args.cell, args.json);
  RunnerOptions options;
  options.out =
      args.out.empty() ? fmt::format("results/{}", fs::path(args.paths.front()).stem().string()) : args.out;
  options.program = own_program();
  options.source = loaded->source;
  options.made_by = args.note.empty() ? made_by() : fmt::format("{} {}", made_by(), args.note);
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t runs = cells_of(experiment).size();
  if (args.dry_run) {
    const Result<double> each = seconds_per_run(experiment, options.program);
    if (!each) return fail(each.error());
    const double threads = experiment.mode == Mode::live ? 1 : options.threads;
    const double total = *each * static_cast<double>(runs) / threads;
    say("{}: {} × {} of agents × {} × {} × {}; about {}", counted(runs, "run"),
        counted(experiment.workloads.size(), "workload"), counted(experiment.agents.size(), "group"),
        counted(experiment.faults.size(), "fault setting"),
        counted(experiment.strategies.size(), "strategy", "strategies"), counted(experiment.seeds, "seed"),
        seconds(1 + static_cast<std::int64_t>(total)));
    return Exit::ok;
  }
  const StopSignal stop;
  options.stop = [&] { return stop.requested(); };
  options.on_progress = show_progress;
  const Result<Results> results = run_experiment(experiment, options);
  if (!results) return fail(results.error());
  if (results->runs.size() < runs) {
    hint("\nStopped after {} of {} runs. Repeat the command to continue.", results->runs.size(), runs);
    return Exit::failed;
  }
  print_standings(*results);
  say("\nThe full report is {}/report.html", options.out);
  return Exit::ok;
}

Result<Exit> report_again(const ExperimentArgs& args) {
  std::vector<Results> all;
  for (const std::string& folder : args.paths) {
    Result<Results> results = read_results(folder);
    if (!results) return fail(results.error());
    if (const Result<void> written = write_report(folder, *results); !written) return fail(written.error());
    all.push_back(std::move(*results));
  }
  if (args.markdown)
    write_out(all.size() == 1 ? report_markdown(all.front()) : results_document(all));
  else
    for (const Results& results : all) print_standings(results);
  return Exit::ok;
}

Result<Exit> list(const ExperimentArgs& args) {
  const std::string folder = args.paths.empty() ? "results" : args.paths.front();
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error))
    if (fs::exists(entry.path() / "experiment.json")) found.push_back(entry.path().string());
  std::sort(found.begin(), found.end());
  Table table({"FOLDER", "NAME", "RUNS", "OF", "MODE"});
  Value data{Value::Array{}};
  for (const std::string& path : found) {
    const Result<Results> results = read_results(path);
    if (!results) return fail(results.error());
    const ExperimentNames& n = results->names;
    const std::size_t total =
        n.workloads.size() * n.agents.size() * n.faults.size() * n.strategies.size() * n.seeds;
    table.add({path, n.name, fmt::format("{}", results->runs.size()), fmt::format("{}", total), n.mode});
    Value item{Value::Object{}};
    item.set("folder", path);
    item.set("name", n.name);
    item.set("runs", static_cast<std::int64_t>(results->runs.size()));
    item.set("of", static_cast<std::int64_t>(total));
    item.set("mode", n.mode);
    data.push(std::move(item));
  }
  if (args.json)
    print_json(std::move(data));
  else if (found.empty())
    say("No results in {}. `bidboard experiment run FILE` makes some.", folder);
  else
    table.print();
  return Exit::ok;
}

/// Compares the results of one experiment from two versions, run by run.
Result<Exit> compare_folders(const ExperimentArgs& args) {
  if (args.paths.size() != 2)
    return fail(Errc::invalid, "usage: bidboard experiment compare BEFORE AFTER, two folders with results");
  const Result<Results> before = read_results(args.paths[0]);
  const Result<Results> after = read_results(args.paths[1]);
  if (!before) return fail(before.error());
  if (!after) return fail(after.error());
  const std::vector<Compared> rows = compare_results(*before, *after);
  if (rows.empty()) return fail(Errc::not_found, "the two folders have no setting and strategy in common");
  Table table({"AGENTS", "FAULTS", "STRATEGY", "MAKESPAN AFTER / BEFORE", "95 %", "RUNS", ""});
  for (const Compared& row : rows)
    table.add({row.agents, row.faults, row.strategy, rounded(row.makespan.ratio),
               fmt::format("{} to {}", rounded(row.makespan.ci.low), rounded(row.makespan.ci.high)),
               fmt::format("{}", row.makespan.pairs), row.makespan.p > noise_level ? "noise" : "differs"});
  table.print();
  return Exit::ok;
}

Result<Exit> experiment(const ExperimentArgs& args) {
  if (args.verb == "run" && args.paths.size() != 1)
    return fail(Errc::invalid, "usage: bidboard experiment run FILE");
  if (args.verb == "report" && args.paths.empty())
    return fail(Errc::invalid, "usage: bidboard experiment report DIR...");
  if (args.verb == "run") return run(args);
  if (args.verb == "report") return report_again(args);
  if (args.verb == "list") return list(args);
  if (args.verb == "compare") return compare_folders(args);
  return fail(Errc::invalid, fmt::format("unknown action '{}'; use run, report, list or compare", args.verb));
}

}  // namespace

Command experiment_command() {
  return {"experiment",
          "Experiments",
          "Compare coordination strategies, simulated or with real processes",
          "  run FILE               run every combination in an experiment file (`bidboard help "
          "experiments`), and write\n"
          "                         runs.jsonl, runs.csv and report.html; an interrupted run continues where "
          "it stopped\n"
          "  report DIR...          write the report again, and print its tables\n"
          "  list [DIR]             list the results in a folder\n"
          "  compare BEFORE AFTER   compare the results of one experiment from two versions",
          {{"bidboard experiment run experiments/coordination.yaml --dry-run",
            "print the number of runs and the estimated time"},
           {"bidboard experiment run experiments/coordination.yaml --out results/today", "run them"},
           {"bidboard experiment run experiments/coordination.yaml --cell w0.a1.f0.s2.17",
            "run one combination"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ExperimentArgs>();
            o.argument("VERB", args->verb, "run, report, list or compare");
            o.arguments("PATH", args->paths, "An experiment file, or folders with results", false);
            o.text("--out", args->out, "DIR", "Folder for the results [results/NAME]");
            o.text("--cell", args->cell, "NAME", "Run only this combination, and print its measures");
            o.flag("--full", args->full, "Use the file's `full:` keys: more runs");
            o.flag("--dry-run", args->dry_run, "Print the number of runs and the estimated time");
            o.flag("--json", args->json, "Print JSON (--cell, list)");
            o.text("--note", args->note, "TEXT", "A remark to keep with the results, e.g. a commit (run)");
            o.flag("--markdown", args->markdown,
                   "Print Markdown; for several folders, one document (report)");
            return [args](const Globals&) { return experiment(*args); };
          }};
}

}  // namespace bidboard
