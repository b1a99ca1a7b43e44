// The faults of a simulated world: at random times, drawn from the world's seed, and at planned times, for
// experiments. Plain data and the sentences that describe it.
#pragma once

#include <string>
#include <vector>

#include "blackboard/random.hpp"
#include "runtime/sim/network.hpp"

namespace bidboard::sim {

/// Mean time between two faults of a kind; 0: none. Each gap is uniform between 0 and twice the mean.
struct FaultRates {
  Duration controller_crash_every;
  Duration controller_down_max = seconds(5);
  std::int64_t commit_failure = 0;  ///< millionths of the commits
  Duration agent_crash_every;       ///< among all agents
  Duration agent_down_max = seconds(20);
  Duration agent_pause_every;  ///< suspended, as by SIGSTOP
  Duration agent_pause_max = seconds(60);
  Duration controller_pause_every;
  Duration controller_pause_max = seconds(40);
  Duration cut_every;        ///< a link, in one or both directions
  Duration cut_peers_every;  ///< all links from or to one agent's peers, in one direction
  Duration cut_max = seconds(60);
  Duration reconnect_every;  ///< a connection is lost and restored
  Duration wall_jump_every;  ///< the wall clock of a machine is set
  Duration wall_jump_max = minutes(10);
  std::int64_t drift_ppm_max = 0;
};

enum class FaultKind : std::uint8_t {
  controller_crash,                ///< between two batches
  controller_crash_before_commit,  ///< during a batch: nothing of it happened
  controller_crash_after_commit,   ///< the decisions are durable, but nothing was sent
  controller_pause,
  agent_crash,
  agent_pause,
  cut_to_controller,    ///< messages from the agent are lost
  cut_from_controller,  ///< messages to it are lost
  cut_both,
  reconnect,
  wall_jump,
  cut_to_peers,    ///< messages from the agent to other agents are lost
  cut_from_peers,  ///< messages from them to it are lost
};

struct Fault {
  FaultKind kind = FaultKind::agent_crash;
  std::uint32_t agent = 0;  ///< position in WorldOptions::agents, if the fault is about one
  Duration lasts;           ///< until restart, resumption or repair; wall_jump: how far. Permanent if
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
/// A fault of random length, for one of `agents`.
Fault random_fault(const FaultRates& rates, FaultKind kind, std::uint32_t agents, Random& random);

std::string_view name(FaultKind kind);
/// One line each; none for faults that do not happen.
std::vector<std::string> describe(const FaultPlan& plan);
std::vector<std::string> describe(const LinkProfile& links);

}  // namespace bidboard::sim
