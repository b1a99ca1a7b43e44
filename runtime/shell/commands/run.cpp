// run: runs a job file or a trace to its end.
#include <filesystem>

#include "auction/clearing.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/job_run.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

constexpr const char* details =
    R"(FILE is a job file (YAML, see `bidboard help jobs`), or a recorded workflow or task graph (WfFormat in JSON, DOT,
STG), whose tasks simulated agents do. Tasks are posted to the board of this folder; if there is none, to a
temporary board outside of it, which is removed if every task is done. If no controller serves the board, `run`
starts one and stops it at the end. It also starts the agents that FILE names, which do the tasks of this job only.
Their commands run in the current folder. If an earlier run of FILE on this board did not end, or some of its tasks
failed, it goes on: done tasks that FILE has not changed are kept. Exits 0 if every task is done, 6 if no agent can
do some task.)";

struct RunArgs {
  std::string file;
  JobOptions options;
  Micros scale = 0;
};

Result<Exit> run(const Globals& globals, RunArgs args) {
  const Result<std::string> text = read_text(args.file == "-" ? "-" : "@" + args.file);
  if (!text) return fail(text.error());
  Result<Plan> plan = read_plan(*text, args.file, known_names());
  if (!plan) return fail(plan.error());
  if (args.scale > 0) args.options.scale = args.scale;
  if (!args.options.strategy.empty())
    if (const auto made = check_strategy(args.options.strategy); !made) return fail(made.error());
  if (!args.options.mechanism.empty())
    if (const auto found = find_mechanism(args.options.mechanism); !found) return fail(found.error());
  args.options.file = args.file;
  std::error_code error;
  plan->source = args.file == "-" ? "" : fs::weakly_canonical(args.file, error).string();
  return run_job(globals, std::move(*plan), args.options);
}

}  // namespace

KnownNames known_names() {
  KnownNames known;
  known.strategies = strategy_names();
  for (const std::string_view name : mechanism_names()) known.mechanisms.emplace_back(name);
  return known;
}

Command run_command() {
  return {"run",
          "Board",
          "Run a job file or a workflow trace to its end",
          details,
          {{"bidboard run examples/audit.yaml", "real agents that run real commands"},
           {"bidboard run trace.json --agents 8 --strategy fifo",
            "a recorded workflow, at 5 s for its critical path"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<RunArgs>();
            o.argument("FILE", args->file, "Job file or trace");
            o.integer("--agents", args->options.agents, "N",
                      "Agents to start if the file names none; 0: four", {0, 1'000});
            o.text("--strategy", args->options.strategy, "NAME",
                   fmt::format("{}; see `bidboard help strategies`", listed(strategy_names())));
            o.text("--mechanism", args->options.mechanism, "NAME", listed(mechanism_names()));
            o.number("--scale", args->scale, "X",
                     "Traces: seconds per recorded second; 0: the critical path takes 5 s", {0, 1e6});
            o.duration("--time-limit", args->options.time_limit, "TIME", "Give up after this long");
            o.flag("--fresh", args->options.fresh,
                   "Cancel what is left of an earlier run of FILE and begin anew");
            o.flag("--rehearse", args->options.rehearse,
                   "Play the clients of presets by stand-ins, as `bidboard up --rehearse` does");
            o.flag("--wait", args->options.wait,
                   "Wait for agents if there is none that can do some task; else that is an error");
            o.flag("--keep", args->options.keep, "Keep the temporary board even if every task is done");
            o.flag("--quiet", args->options.quiet, "Print only the result");
            o.flag("--json", args->options.json, "Print the outcome as JSON");
            return [args](const Globals& globals) { return run(globals, *args); };
          }};
}

}  // namespace bidboard
