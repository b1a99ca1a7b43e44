#include "experiments/bench/bench.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "experiments/bench/blocks.hpp"

namespace bidboard {

const std::vector<BenchBlock>& bench_blocks() {
  static const std::vector<BenchBlock> blocks{
      {"shell", "start-up of a shell command", true, bench::shell_block},
      {"idle", "CPU of idle agents", true, bench::idle_block},
      {"dispatch", "tasks per second against the floor", true, bench::dispatch_block},
      {"store", "board writes against raw LMDB", true, bench::store_block},
      {"latency", "post to award, shortest worthwhile task", true, bench::latency_block},
      {"clearing", "auctions with up to 1,000 bidders", true, bench::clearing_block},
      {"million", "a board of a million tasks (about two minutes)", false, bench::million_block},
      {"scale", "10,000 simulated agents and a million tasks (about ten minutes)", false, bench::scale_block},
      {"growth", "controller time per task as the number of agents grows, simulated", false,
       bench::growth_block},
      {"peers", "the same work on beanstalkd, Redis and Dask (`./dev bench peers` installs them)", false,
       bench::peers_block},
  };
  return blocks;
}

Result<std::vector<Figure>> run_bench(const BenchOptions& options) {
  const auto is_known = [](const std::string& name) {
    return std::ranges::any_of(bench_blocks(), [&](const BenchBlock& block) { return block.name == name; });
  };
  for (const std::string& name : options.blocks)
    if (!is_known(name))
      return fail(Errc::invalid,
                  fmt::format("there is no block '{}'; `bidboard bench --help` lists all", name));
  std::vector<Figure> figures;
  for (const BenchBlock& block : bench_blocks()) {
    const bool chosen = std::ranges::find(options.blocks, block.name) != options.blocks.end();
    if (options.blocks.empty() ? !block.by_default : !chosen) continue;
    Result<std::vector<Figure>> measured = block.measure(options);
    if (!measured) return fail(measured.error());
    figures.insert(figures.end(), measured->begin(), measured->end());
  }
  return figures;
}

Value to_value(const std::vector<Figure>& figures) {
  Value list{Value::Array{}};
  for (const Figure& f : figures) {
    Value item{Value::Object{}};
    item.set("name", f.name);
    item.set("unit", f.unit);
    item.set("median", f.median);
    item.set("min", f.least);
    item.set("max", f.most);
    item.set("goal", f.goal);
    list.push(std::move(item));
  }
  return list;
}

}  // namespace bidboard
