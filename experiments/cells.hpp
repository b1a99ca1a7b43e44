// The runs of an experiment: every combination of workload, group of agents, faults, strategy and seed is a
// cell. A cell has a name and can be run alone. Pure.
#pragma once

#include <string>
#include <vector>

#include "experiments/experiment.hpp"

namespace bidboard {

struct Cell {
  std::size_t workload = 0;  ///< positions in the Experiment's lists
  std::size_t agents = 0;
  std::size_t faults = 0;
  std::size_t strategy = 0;
  std::uint64_t seed = 1;
  bool operator==(const Cell&) const = default;
};

/// All cells; the strategies of one seed follow each other.
std::vector<Cell> cells_of(const Experiment& experiment);
/// "w0.a1.f0.s2.17", as `--cell` takes it. Errors: invalid, not_found (no such cell).
std::string name_of(const Cell& cell);
Result<Cell> parse_cell(const Experiment& experiment, std::string_view name);

/// What all strategies share at a seed: the workload, with its needed skills, and the agents.
struct Setting {
  Plan plan;
  std::vector<AgentProfile> agents;
  std::vector<bool> lies;  ///< by agent
  Micros error = 0;
  std::uint64_t seed = 1;

  /// Seconds that the task takes on the agent: the estimate times a random factor of task, agent and seed.
  Micros true_seconds(const TaskSpec& task, std::size_t agent) const;
  /// No factor is smaller.
  Micros least_factor() const;
};
/// For strategy `hierarchy`: a tree of managers over the agents, and sets the agents' parents. Each manager
/// has at most `span` members (0: the square root of the number of agents, rounded up); the root is an
/// executive.
std::vector<AgentProfile> add_managers(std::vector<AgentProfile>& agents, std::uint32_t span);
/// The agents in the order in which faults hit them.
std::vector<std::uint32_t> order_of_victims(const Setting& setting);
Setting setting_of(const Experiment& experiment, const Cell& cell);

}  // namespace bidboard
