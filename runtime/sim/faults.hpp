// What goes wrong in a simulated world: faults at random moments, drawn from the world's seed, and faults at
// planned ones, for experiments. Plain data and the sentences that describe it.
#pragma once

#include <string>
#include <vector>

#include "blackboard/random.hpp"
#include "runtime/sim/network.hpp"

namespace bidboard::sim {

/// Mean time between two faults of a sort; 0: none. Each gap is uniform between 0 and twice the mean.
struct FaultRates {
  Duration controller_crash_every;
  Duration controller_down_max = seconds(5);
  std::int64_t commit_failure = 0;  ///< millionths of the commits
  Duration agent_crash_every;       ///< among all agents
  Duration agent_down_max = seconds(20);
  Duration agent_pause_every;  ///< stands still, as on SIGSTOP
  Duration agent_pause_max = seconds(60);
  Duration controller_pause_every;
  Duration controller_pause_max = seconds(40);
  Duration cut_every;        ///< a link, in one or both directions
  Duration cut_peers_every;  ///< all links from or to one agent's peers, in one direction
  Duration cut_max = seconds(60);
  Duration reconnect_every;  ///< a connection is lost and made anew
  Duration wall_jump_every;  ///< the wall clock of some machine is set
  Duration wall_jump_max = minutes(10);
  std::int64_t drift_ppm_max = 0;
};

enum class FaultKind : std::uint8_t {
  controller_crash,                ///< between two batches
  controller_crash_before_commit,  ///< in the midst of a batch: nothing of it happened
  controller_crash_after_commit,   ///< what was decided is durable, and nobody was told
  controller_pause,
  agent_crash,
  agent_pause,
  cut_to_controller,    ///< what the agent says gets lost
  cut_from_controller,  ///< what it is told gets lost
  cut_both,
  reconnect,
  wall_jump,
  cut_to_peers,    ///< what the agent says to other agents gets lost
  cut_from_peers,  ///< what they say to it gets lost
};

struct Fault {
  FaultKind kind = FaultKind::agent_crash;
  std::uint32_t agent = 0;  ///< position in WorldOptions::agents, where one is meant
  Duration lasts;  ///< until it is restarted, goes on or is mended; wall_jump: how far. For good when
                   ///< negative (not wall_jump)
};
struct PlannedFault {
  Instant at;
  Fault fault;
};

struct FaultPlan {
  FaultRates rates;
  std::vector<PlannedFault> planned;
};

/// The kinds of random faults, and how long until the next one of each.
Duration mean_gap(const FaultRates& rates, FaultKind kind);
Duration next_gap(Duration mean, Random& random);
/// One of a random length, for one of `agents`.
Fault random_fault(const FaultRates& rates, FaultKind kind, std::uint32_t agents, Random& random);

std::string_view name(FaultKind kind);
/// One line each, nothing for what does not happen.
std::vector<std::string> describe(const FaultPlan& plan);
std::vector<std::string> describe(const LinkProfile& links);

}  // namespace bidboard::sim
