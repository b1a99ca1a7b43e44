#include <unistd.h>

#include <array>

#include "auction/clearing.hpp"
#include "blackboard/fmt.hpp"
#include "experiments/bench/blocks.hpp"
#include "experiments/bench/simulated_load.hpp"
#include "experiments/bench/support.hpp"
#include "experiments/statistics.hpp"
#include "runtime/coordination/strategy.hpp"

namespace bidboard::bench {
namespace {

constexpr std::uint32_t invited = 16;
constexpr std::array<std::uint32_t, 5> sizes{10, 32, 100, 316, 1'000};
constexpr std::uint64_t tasks_per_agent = 4;
constexpr std::uint64_t tasks_min = 400;
/// For `peer`, in which every agent bids for every task.
constexpr std::uint64_t tasks_among_peers = 100;

std::string name_of(const Load& load) {
  if (load.strategy != "auction") return load.strategy;
  std::string name = load.live_bids ? "live auction" : "proxy auction";
  name += ", " + load.mechanism;
  if (load.invite_max > 0) name += fmt::format(", {} invited", load.invite_max);
  return name;
}

std::vector<Load> every_strategy() {
  std::vector<Load> loads;
  for (const std::string& strategy : strategy_names())
    if (strategy != "auction") loads.push_back({.strategy = strategy});
  for (const std::string_view mechanism : mechanism_names()) {
    const bool usual = mechanism == "sequential";
    for (const std::uint32_t invite_max : {0u, invited})
      loads.push_back({.strategy = "auction", .mechanism = std::string(mechanism), .invite_max = invite_max});
    if (usual) loads.push_back({.strategy = "auction", .live_bids = true, .invite_max = invited});
  }
  return loads;
}

std::uint64_t tasks_for(const std::string& strategy, std::uint32_t agents) {
  if (strategy == "peer") return tasks_among_peers;
  // `single` gives all tasks to one agent, so more agents need no more tasks.
  return strategy == "single" ? tasks_min : std::max(tasks_min, agents * tasks_per_agent);
}

}  // namespace

Result<Figures> scale_block(const BenchOptions& options) {
  Figures figures;
  for (const char* strategy : {"fifo", "auction"}) {
    Load load{.strategy = strategy, .agents = 10'000, .tasks = 1'000'000, .invite_max = invited};
    options.on_progress("10,000 agents, a million tasks, " + name_of(load));
    const LoadCost cost = simulate_load(load);
    if (cost.done != load.tasks) return fail(Errc::failed, "not all simulated tasks were done");
    const std::string what = "10,000 agents, a million tasks, " + name_of(load);
    figures.push_back(figure(what, "s", {cost.seconds}, "under 600"));
    figures.push_back(figure(what + ": the controller's part", "s", {cost.controller_seconds}));
    figures.push_back(figure(what + ": messages per task", "", {cost.messages_per_task}));
    figures.push_back(figure(what + ": memory", "MB", {memory_of(::getpid()).own}, "under 24,000"));
  }
  return figures;
}

Result<Figures> growth_block(const BenchOptions& options) {
  Figures figures;
  for (Load load : every_strategy()) {
    std::vector<double> cpu;
    std::vector<double> messages;
    for (const std::uint32_t agents : sizes) {
      options.on_progress(fmt::format("{}, {} agents", name_of(load), agents));
      load.agents = agents;
      load.tasks = tasks_for(load.strategy, agents);
      const LoadCost cost = simulate_load(load);
      const double each = cost.controller_seconds * 1e6 / static_cast<double>(load.tasks);
      cpu.push_back(each);
      messages.push_back(cost.messages_per_task);
    }
    const auto report = [&](const std::string& what, const char* unit, const std::vector<double>& costs) {
      const PowerLaw law = fit_power_law(std::vector<double>(sizes.begin(), sizes.end()), costs);
      figures.push_back(
          figure(fmt::format("{}: {} with 10 agents", name_of(load), what), unit, {costs.front()}));
      figures.push_back(
          figure(fmt::format("{}: {} with 1,000 agents", name_of(load), what), unit, {costs.back()}));
      figures.push_back(figure(fmt::format("{}: {} grows with agents to the power of", name_of(load), what),
                               "", {law.exponent}));
    };
    report("controller CPU per task", "µs", cpu);
    report("messages per task", "", messages);
  }
  return figures;
}

}  // namespace bidboard::bench
