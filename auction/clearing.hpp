// Clearing: from tasks, agents and scored bids to awards and prices. Mechanisms are pure functions, each in a
// file of its own under auction/mechanisms/ and checked against brute force. Permuting the input never
// changes the outcome: a tie goes to the agent with the smaller load (where all tasks are assigned at once:
// to any of them), and remaining ties are decided by the ids.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auction/bid.hpp"
#include "auction/scoring.hpp"

namespace bidboard {

/// A task to be assigned. `tasks` in a Problem are in the order of admission: priority, bottom level, id.
struct ClearingTask {
  TaskId id;
};

/// An agent's slots: when each becomes free, in microseconds from now (0: free now; a busy slot has at least
/// 1). One entry per slot, sorted. Offline problems have no time: `capacity` zeros.
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

/// All of these tasks or none, one after the other in one slot: a bid of an agent that saves set-up cost.
struct ScoredBundle {
  AgentId agent;
  std::vector<TaskId> tasks;  ///< by id; two or more
  Micros seconds = 0;         ///< how long all of them together would occupy a slot
  Micros cost = 0;            ///< of all of them together; waits are added by the mechanism
};

constexpr std::size_t clearing_tasks_max = 10'000;
constexpr std::size_t clearing_bundles_max = 10'000;

struct Problem {
  std::vector<ClearingTask> tasks;
  std::vector<ClearingAgent> agents;
  std::vector<ScoredBid> bids;
  std::vector<ScoredBundle> bundles;  ///< only `combinatorial` uses them
  Weights weights;
  /// true: an agent may be given more tasks than it has slots; they queue behind each other (live clearing).
  /// false: each slot takes one task (offline: capacity is a hard limit).
  bool queueing = true;
};

struct Award {
  TaskId task;
  AgentId agent;
  Micros start_in = 0;  ///< microseconds until its turn; 0: the slot is free now and the task is the first
                        ///< in it, so it is awarded now. Else it is reserved and waits.
  Micros cost = 0;      ///< the winning bid's cost plus its wait, in score units
  Micros price = 0;     ///< what the mechanism pays the winner, in score units
  /// The tasks of the bundle it was won in, by id; empty: by a bid for it alone. Each has an even share of
  /// the bundle's cost and seconds.
  std::vector<TaskId> bundle = {};
  bool operator==(const Award&) const = default;
};

/// Dual prices that prove a lower bound on the total cost (linear-programming duality) and can be checked
/// without trusting the solver. A place is one position in one slot's queue: place 1 runs last, so k - 1
/// tasks wait behind the task at place k; without queueing, place k of an agent is its k-th slot. Then
///   task price + place price ≤ cost of the task at that place, for every bid and place; task price ≤
///   `unassigned`; place prices ≤ 0, and 0 for every place not listed; sum of all prices = bound = total cost
///   + unassigned × number of unassigned tasks - gap.
/// A bundle of n tasks takes n consecutive places of a queue; without queueing it takes one. The sum of the
/// prices of its tasks and places ≤ its cost there, including waits within it.
struct Certificate {
  struct PlacePrice {
    AgentId agent;
    std::uint32_t slot = 0;   ///< index into slot_free_in; without queueing 0
    std::uint32_t place = 1;  ///< from 1
    Micros price = 0;
    bool operator==(const PlacePrice&) const = default;
  };
  std::vector<Micros> task_prices;       ///< one per task, in the order of Problem::tasks
  std::vector<PlacePrice> place_prices;  ///< the places taken, by agent, slot and place
  Micros unassigned = 0;                 ///< a penalty so high that assigning a task is always better
  Micros bound = 0;
  Micros gap = 0;  ///< the total cost may exceed the minimum by at most this much; 0: it is the minimum
  bool operator==(const Certificate&) const = default;
};

struct Outcome {
  std::vector<Award> awards;  ///< in the order of Problem::tasks; a task that no agent can take is missing
  Micros total_cost = 0;      ///< the sum of the awards' costs, clamped to ±4e18
  /// From mechanisms that consider all tasks at once, unless its numbers do not fit into 64 bits.
  std::optional<Certificate> certificate;
  /// No assignment costs less: its certificate proves it, or every combination was examined.
  bool exact = false;
};

/// A cost of waiting is wait_score of the slot's free_in plus wait_score of each task before it in the slot,
/// so that the total costs of all mechanisms are comparable. Ties between slots of one agent go to the slot
/// that is free first. REQUIRES: ids in the problem are distinct, bids one per task and agent, bundles one
/// per agent and set of tasks; bids name known ids; seconds are within [0, max_bid_seconds], costs within
/// ±max_score; slots are sorted and within [0, 1e18]; at most clearing_tasks_max tasks and
/// clearing_bundles_max bundles.
using Mechanism = Outcome (*)(const Problem&);

/// Each task in order goes to the cheapest bid, including its wait. Every slot takes at most one task, so a
/// busy best bidder is passed over for the next. A task whose bidders have no slot left stays unassigned.
/// Price: the winner's cost.
Outcome first_price(const Problem& problem);
/// The winners of first_price. Price: the second-lowest cost among the bids that were compared, or the
/// winner's own if there was no other (Vickrey, J. Finance 16, 1961).
Outcome vickrey(const Problem& problem);
/// Each task in order goes to the agent for which it costs least after the tasks that it was given before
/// (Koenig et al., "The power of sequential single-item auctions for agent coordination", AAAI 2006). Price:
/// the winner's cost.
Outcome sequential(const Problem& problem);
/// As many tasks as can be assigned, at the minimum total cost: exact, with a certificate. Price: the
/// winner's cost. (Jonker and Volgenant 1987; details in shortest_paths.cpp.)
Outcome optimal(const Problem& problem);
/// The same total cost as `optimal`, found as an auction: tasks bid for places and prices rise (Bertsekas
/// 1988; details in bertsekas.cpp). Its certificate is the final prices, rounded: `gap` is at most one
/// micro-unit per task. Price: the winner's cost.
Outcome bertsekas(const Problem& problem);
/// As many tasks as can be assigned, bundles allowed, at the minimum total cost if the problem is small (12
/// tasks with 7 slots, 10 with 71; the exact limit is in packages.hpp). For larger problems: the outcome of
/// `optimal`, improved bundle by bundle; the certificate's gap bounds how far that is from the minimum. A
/// bundle's tasks wait for each other as for any other task before them. Without any bundle it equals
/// `optimal`. Price: the winner's cost.
Outcome combinatorial(const Problem& problem);

/// A mechanism by name. Errors: invalid, with the known names.
Result<Mechanism> find_mechanism(std::string_view name);
/// "first_price", "vickrey", "sequential", "optimal", "bertsekas", "combinatorial".
std::vector<std::string_view> mechanism_names();

}  // namespace bidboard
