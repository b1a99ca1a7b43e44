// `auction solve`: clears an auction described in a file, without a board.
//
//   {"tasks": ["t1"], "agents": [{"id": "a1", "capacity": 1}], "bids": [{"task": "t1", "agent": "a1", "cost":
//   52}]}
//
// A bid for several tasks together, {"tasks": ["t1", "t2"], "agent": "a1", "cost": 70}, uses one unit of the
// agent's capacity; only the mechanism `combinatorial` uses such bids. Ids are any text. A capacity is the
// number of tasks that the agent can take (default 1, a hard limit); costs are decimal numbers within ±1e9,
// kept to six decimals. There is no time: tasks do not queue.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "auction/clearing.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {

struct OfflineAuction {
  Problem problem;
  /// The file's names by id: task_names[3] is TaskId{4}. Ids follow alphabetical order, so that ties are
  /// decided by the names, and the order in the file matters only where the mechanism says so (the order of
  /// tasks).
  std::vector<std::string> task_names;
  std::vector<std::string> agent_names;
  std::vector<AgentId> agents;  ///< in the file's order
};

/// Errors: invalid; one line "line:column: what is wrong and how to fix it" per flaw (the first fifty).
Result<OfflineAuction> read_auction(const Value& document);

/// {"mechanism", "awards": [{"task", "agent", "cost", "price"}] in task order, "unassigned": [names],
/// "total_cost"}; a task won in a bundle has "bundle": [names] and an equal share of its cost. A mechanism
/// that considers all tasks at once adds "exact" (no assignment costs less) and "certificate": {"bound",
/// "gap", "tasks": {name: price}, "agents": {name: price}, "unassigned": penalty}. Anyone can check it: price
/// of task(s) + price of agent ≤ cost for every bid; no price of a task above the penalty, none of an agent
/// above 0; and the sum of the tasks' prices and of each agent's price times its capacity = bound =
/// total_cost + penalty × number of unassigned tasks - gap. Then no other assignment is cheaper by more than
/// the gap.
Value write_outcome(const OfflineAuction& auction, std::string_view mechanism, const Outcome& outcome);

}  // namespace bidboard
