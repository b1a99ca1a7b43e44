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
#include "experiments/export.hpp"
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

/// The files that match the pattern, or the workflows in a folder.
std::vector<std::string> find_files(const fs::path& base, const std::string& pattern) {
  const fs::path path = fs::path(pattern).is_absolute() ? fs::path(pattern) : base / pattern;
  std::vector<fs::path> patterns{path};
  if (fs::is_directory(path)) patterns = {path / "*.json", path / "*.dot", path / "*.gv", path / "*.stg"};
  std::vector<std::string> files;
  for (const fs::path& each : patterns) {
    glob_t found{};
    if (::glob(each.c_str(), 0, nullptr, &found) == 0)
      for (std::size_t i = 0; i < found.gl_pathc; ++i) files.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
  }
  std::sort(files.begin(), files.end());
  return files;
}

void warn(const std::string& warning) { hint("bidboard: {}", warning); }

Result<Experiment> load(const std::string& file, bool full) {
  const Result<std::string> text = read_text("@" + file);
  if (!text) return fail(text.error());
  const fs::path base = fs::path(file).parent_path();
  ExperimentSurroundings surroundings;
  surroundings.find = [&](const std::string& pattern) { return find_files(base, pattern); };
  surroundings.read = [](const std::string& path) { return read_text("@" + path); };
  surroundings.full = full;
  Result<Experiment> experiment = read_experiment(*text, file, surroundings);
  if (experiment)
    for (const std::string& note : experiment->notes) warn(note);
  return experiment;
}

/// A folder's results; what is wrong with its lines is told.
Result<Results> read_folder(const std::string& folder) {
  Result<Results> results = read_results(folder);
  if (results)
    for (const std::string& warning : results->warnings) warn(warning);
  return results;
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
  Table table({"AGENTS", "FAULTS", "STRATEGY", "FINISHED", "× BOUND", "95 %", "AGAINST BEST", ""});
  for (const SettingVerdict& setting : verdict.settings)
    for (const Standing& s : setting.standings) {
      const bool compared = s.to_bound.pairs > 0;
      table.add(
          {results.names.agents[setting.agents], results.names.faults[setting.faults],
           results.names.strategies[s.strategy], fmt::format("{} of {}", s.finished, s.runs),
           compared ? rounded(s.to_bound.ratio) : "–",
           compared ? fmt::format("{} to {}", rounded(s.to_bound.ci.low), rounded(s.to_bound.ci.high)) : "–",
           compared ? fmt::format("× {}", rounded(s.to_best.ratio)) : "–",
           s.as_good_as_best ? "best, or noise"
           : s.finishes_less ? "finishes less"
                             : ""});
    }
  table.print();
  say("× BOUND: geometric mean of makespan / bound over the runs that all strategies finished.");
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
  const Result<Experiment> loaded = load(args.paths.front(), args.full);
  if (!loaded) return fail(loaded.error());
  const Experiment& experiment = *loaded;
  if (!args.cell.empty()) return run_one_cell(experiment, args.cell, args.json);
  RunnerOptions options;
  options.out =
      args.out.empty() ? fmt::format("results/{}", fs::path(args.paths.front()).stem().string()) : args.out;
  options.program = own_program();
  options.made_by = args.note.empty() ? made_by() : fmt::format("{} {}", made_by(), args.note);
  options.threads = std::max(1u, std::thread::hardware_concurrency());
  const std::size_t runs = cells_of(experiment).size();
  if (args.dry_run) {
    const Result<double> total = predicted_seconds(experiment, options.program, options.threads);
    if (!total) return fail(total.error());
    say("{}: {} × {} of agents × {} × {} × {}; about {}", counted(runs, "run"),
        counted(experiment.workloads.size(), "workload"), counted(experiment.agents.size(), "group"),
        counted(experiment.faults.size(), "fault setting"),
        counted(experiment.strategies.size(), "strategy", "strategies"), counted(experiment.seeds, "seed"),
        seconds(1 + static_cast<std::int64_t>(*total)));
    return Exit::ok;
  }
  const StopSignal stop;
  options.stop = [&] { return stop.requested(); };
  options.on_progress = show_progress;
  options.on_warning = warn;
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
    Result<Results> results = read_folder(folder);
    if (!results) return fail(results.error());
    if (results->runs.size() < expected_runs(results->names))
      warn(fmt::format("{} holds {} of {}; `bidboard experiment run FILE --out {}` makes the others", folder,
                       results->runs.size(), counted(expected_runs(results->names), "run"), folder));
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
    const Result<Results> results = read_folder(path);
    if (!results) return fail(results.error());
    const ExperimentNames& n = results->names;
    const std::size_t total = expected_runs(n);
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
  const Result<Results> before = read_folder(args.paths[0]);
  const Result<Results> after = read_folder(args.paths[1]);
  if (!before) return fail(before.error());
  if (!after) return fail(after.error());
  const std::vector<Compared> rows = compare_results(*before, *after);
  if (rows.empty()) return fail(Errc::not_found, "the two folders have no setting and strategy in common");
  Table table({"AGENTS", "FAULTS", "STRATEGY", "FINISHED", "MAKESPAN AFTER / BEFORE", "95 %", "PAIRS", ""});
  for (const Compared& row : rows) {
    const Comparison& c = row.makespan;
    table.add({row.agents, row.faults, row.strategy,
               fmt::format("{} → {} of {}", row.finished_before, row.finished_after, row.runs),
               c.pairs > 0 ? rounded(c.ratio) : "–",
               c.pairs > 0 ? fmt::format("{} to {}", rounded(c.ci.low), rounded(c.ci.high)) : "–",
               fmt::format("{}", c.pairs),
               c.pairs == 0        ? ""
               : c.p > noise_level ? "noise"
                                   : "differs"});
  }
  table.print();
  return Exit::ok;
}

/// Writes the tables and plots of a report as files.
Result<Exit> export_folder(const ExperimentArgs& args) {
  const Result<Results> results = read_folder(args.paths.front());
  if (!results) return fail(results.error());
  const std::string to = args.out.empty() ? args.paths.front() + "/export" : args.out;
  std::error_code error;
  fs::create_directories(to, error);
  if (error) return fail(Errc::storage, fmt::format("cannot make {}: {}", to, error.message()));
  for (const auto& [name, text] : exported_files(*results)) {
    const std::string path = fmt::format("{}/{}", to, name);
    if (const Result<void> written = write_file(path, text); !written) return fail(written.error());
    say("{}", path);
  }
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
  if (args.verb == "export" && args.paths.size() != 1)
    return fail(Errc::invalid, "usage: bidboard experiment export DIR [--out FOLDER]");
  if (args.verb == "export") return export_folder(args);
  return fail(Errc::invalid,
              fmt::format("unknown action '{}'; use run, report, export, list or compare", args.verb));
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
          "  export DIR             write the report's tables as CSV and its plots as SVG, to DIR/export or "
          "--out\n"
          "  list [DIR]             list the results in a folder\n"
          "  compare BEFORE AFTER   compare the results of one experiment from two versions",
          {{"bidboard experiment run experiments/coordination.yaml --dry-run",
            "print the number of runs and the estimated time"},
           {"bidboard experiment run experiments/coordination.yaml --out results/today", "run them"},
           {"bidboard experiment run experiments/coordination.yaml --cell w0.a1.f0.s2.17",
            "run one combination"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ExperimentArgs>();
            o.argument("VERB", args->verb, "run, report, export, list or compare");
            o.arguments("PATH", args->paths, "An experiment file, or folders with results", false);
            o.text("--out", args->out, "DIR", "Folder for the results [results/NAME], or for exported files");
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
