// bench: measures performance on this machine.
#include <cstdio>

#include "blackboard/fmt.hpp"
#include "experiments/bench/bench.hpp"
#include "runtime/fleet/workforce.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

std::string rounded(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 10 ? "%.3g" : "%.0f", value);
  return text;
}

struct BenchArgs {
  BenchOptions options;
  bool json = false;
};

Result<Exit> bench(BenchArgs args) {
  args.options.program = own_program();
  args.options.on_progress = [](const std::string& text) { hint("measuring: {}", text); };
  const Result<std::vector<Figure>> figures = run_bench(args.options);
  if (!figures) return fail(figures.error());
  if (args.json) {
    print_json(to_value(*figures));
    return Exit::ok;
  }
  Table table({"FIGURE", "MEDIAN", "MIN", "MAX", "UNIT", "GOAL"});
  for (const Figure& f : *figures)
    table.add({f.name, rounded(f.median), rounded(f.least), rounded(f.most), f.unit, f.goal});
  table.print();
  return Exit::ok;
}

std::string described_blocks() {
  std::string text =
      "Starts processes on temporary boards. Run nothing else meanwhile. docs/benchmarks.md has recorded "
      "figures.\n\nBlocks:";
  for (const BenchBlock& block : bench_blocks())
    text += fmt::format("\n  {}: {}{}", block.name, block.what, block.by_default ? "" : "; optional");
  return text;
}

}  // namespace

Command bench_command() {
  return {"bench",
          "Help",
          "Measure Bidboard on this machine",
          described_blocks(),
          {{"bidboard bench --json > bench.json", "for comparison"},
           {"bidboard bench dispatch --runs 9", "one block only, with more runs"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<BenchArgs>();
            o.arguments("BLOCK", args->options.blocks, "What to measure [all that are not optional]", false);
            o.integer("--runs", args->options.runs, "N", "Runs of each dispatch figure", {1, 100});
            o.integer("--tasks", args->options.tasks, "N", "Tasks per dispatch run", {1, 50'000});
            o.duration("--idle-window", args->options.idle_window, "TIME",
                       "How long idle agents are measured");
            o.flag("--json", args->json, "Print JSON");
            return [args](const Globals&) { return bench(*args); };
          }};
}

}  // namespace bidboard
