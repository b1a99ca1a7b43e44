// Clearing: from tasks, agents and scored bids to awards and prices. Mechanisms are pure functions; each stands in a file
// of its own under auction/mechanisms/ and is checked against brute force. Permuting the input never changes the outcome:
// every tie ends in the ids.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auction/bid.hpp"
#include "auction/scoring.hpp"

namespace bidboard {

/// A task to be assigned. `tasks` in a Problem stand in the order in which they are admitted: priority, bottom level, id.
struct ClearingTask {
  TaskId id;
};

/// An agent's slots: when each becomes free, in micro-seconds from now (0: free now). One entry per slot, sorted.
/// Offline problems have no time: `capacity` zeros.
struct ClearingAgent {
  AgentId id;
  std::vector<Micros> slot_free_in;
};

struct ScoredBid {
  TaskId task;
  AgentId agent;
  Micros seconds = 0;  ///< how long it would occupy a slot
  Micros cost = 0;     ///< work_score; the wait is added by the mechanism
};

struct Problem {
  std::vector<ClearingTask> tasks;
  std::vector<ClearingAgent> agents;
  std::vector<ScoredBid> bids;
  Weights weights;
  /// true: an agent may be given more tasks than it has slots; they queue behind each other (live clearing).
  /// false: each slot takes one task (offline: capacity is a hard limit).
  bool queueing = true;
};

struct Award {
  TaskId task;
  AgentId agent;
  Micros start_in = 0;  ///< micro-seconds until the slot is free; 0: award now, else the task is reserved and waits
  Micros cost = 0;      ///< the winning bid's cost plus its wait, in score units
  Micros price = 0;     ///< what the mechanism lets the winner charge, in score units
};

struct Certificate {
  /// Dual prices that prove the total cost minimal (linear-programming duality): one per task and per slot column; empty
  /// when the mechanism proves nothing.
  std::vector<Micros> task_duals;
  std::vector<Micros> agent_duals;  ///< per agent: the price of one more slot, ≤ 0
  Micros bound = 0;                 ///< lower bound on the total cost that the duals prove
};

struct Outcome {
  std::vector<Award> awards;        ///< in the order of Problem::tasks; a task that nobody can take is missing
  Micros total_cost = 0;
  std::optional<Certificate> certificate;
};

/// A mechanism by name, or the known names in the error. REQUIRES: ids in the problem are distinct; bids name known ids;
/// costs and seconds are within ±max_bid bounds.
using Mechanism = Outcome (*)(const Problem&);
Result<Mechanism> find_mechanism(std::string_view name);
/// "first_price", "vickrey", "sequential", "optimal".
std::vector<std::string_view> mechanism_names();

}  // namespace bidboard
