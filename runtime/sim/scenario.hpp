// A whole test from one number: a world with random agents, strategy, links and faults, random work and
// random interventions by people at shells. First the safety phase, in which any fault may happen and no rule
// may be violated, then the liveness phase: the world is healed and every task must end within a stated
// bound. For one thread.
#pragma once

#include <string>
#include <vector>

#include "runtime/sim/world.hpp"

namespace bidboard::sim {

/// A request that a shell makes at some time.
struct Meddling {
  Instant at;
  std::uint32_t client = 0;
  std::string as;
  RequestBody body;
};

struct Scenario {
  WorldOptions world;
  std::uint32_t clients = 1;
  std::uint32_t tasks = 0;         ///< posted altogether
  std::vector<Meddling> requests;  ///< by time
  Duration safety_phase;
};

/// Everything is drawn from the seed.
Scenario draw_scenario(std::uint64_t seed);
/// What was drawn, one line each; printed before the run.
std::vector<std::string> describe(const Scenario& scenario);

struct ScenarioReport {
  std::vector<std::string> violations;  ///< from checkers.hpp and of liveness; empty: every rule held
  std::uint64_t log_hash = 0;
  std::uint64_t events = 0;  ///< in the log
  std::uint64_t messages = 0;
  std::uint64_t done = 0;  ///< tasks with a result
  std::uint64_t tasks = 0;
  std::uint64_t faults = 0;
  std::uint64_t failed_commits = 0;
  std::uint64_t late_results = 0;
  Duration took;   ///< virtual time
  Duration bound;  ///< the time limit of the liveness phase
};
/// `also`: an observer in addition to the checkers.
ScenarioReport run_scenario(const Scenario& scenario, Observer* also = nullptr);

}  // namespace bidboard::sim
