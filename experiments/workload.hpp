// Workloads of experiments: recorded workflows, and generated ones of a named shape. Pure: a workload is a
// function of its specification and a seed.
#pragma once

#include <string>
#include <vector>

#include "runtime/jobs/plan.hpp"

namespace bidboard {

enum class Shape : std::uint8_t {
  trace,           ///< a recorded workflow (runtime/jobs/trace.hpp)
  chain,           ///< each task needs the one before
  fork_join,       ///< stages: one task, up to 20 parallel tasks, one that needs them all
  layered,         ///< layers of equal width; a task needs one to three of the layer before
  random,          ///< a task needs up to three of the ten before it
  coding_project,  ///< a plan; modules, each designed, written, tested and patched; integration and review
};
std::string_view name(Shape shape);
const std::vector<std::string>& generator_names();

struct WorkloadSpec {
  std::string name;  ///< of the file without its ending, or of the generator and its size
  Shape shape = Shape::trace;
  std::uint32_t tasks = 0;  ///< approximate number; generators only
  bool per_agent = false;   ///< `tasks` is for each agent; layers are as wide as the number of agents
  Plan trace;               ///< Shape::trace
};

/// Durations of generated tasks: uniform within ±50 % of 10 s; of a coding project log-normal with a median
/// of 60 s and σ = 1.2, as tasks of language-model agents show it (most are short, few take most of the
/// time). The graph and the durations depend on the seed.
Plan make_workload(const WorkloadSpec& spec, std::uint64_t seed, std::uint32_t agents = 1);

}  // namespace bidboard
