// What may be spent. Before an award, what was spent, what the attempts under way are expected to cost, and
// what this one is must fit every budget that it would be charged to (blackboard/spending.hpp).
//
// - A budget of the board, the day, a project, a workflow or the task itself holds the task
//   (HoldKind::budget) in place of the award, until there is room again.
// - A budget of an agent or its account makes the agent unfit while it is spent, and busy while only attempts
//   under way stand in the way.
// - What an attempt is expected to cost is the mean of its kind on this board, else `estimate` of the
//   configuration. It stays reserved until the attempt's process has ended. What clients report then is
//   charged, so one attempt can exceed a budget by what it cost more than expected; clients that can stop by
//   themselves are told what is left (BIDBOARD_BUDGET). An attempt that was cut off before it could tell is
//   charged what it was expected to cost.
//
// Pure.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "auction/bid.hpp"
#include "blackboard/messages.hpp"
#include "blackboard/records.hpp"
#include "blackboard/requests.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

struct Change;
struct Core;

/// What the controller remembers beside the board; rebuilt by expect_spending().
struct Budgets {
  struct Reservation {
    std::vector<std::string> scopes;
    Amount amount;
  };
  std::map<Held, Reservation> reserved;          ///< for attempts whose process has not ended
  std::map<std::string, Amount> reserved_in;     ///< the same, by scope; "day" on whichever day
  std::map<std::string, std::set<TaskId>> held;  ///< tasks that wait for room, by the scope that has none
  std::set<TaskId> freed;                        ///< whose hold was lifted; they have not been awarded yet
  bool unsure = false;                           ///< some of `held` may have room: nobody has looked
};

/// The hold in whose place an award of the task would break a budget; nothing: none is broken. Remembers who
/// waits for what.
std::optional<Hold> budget_hold(Core& core, const Task& task);
/// Why the agent may spend nothing more; nothing: it may.
std::optional<Refusal> beyond_budget(const Core& core, const AgentProfile& agent);
/// Whether the agent may have a further attempt beside those that are under way.
bool within_budget(const Core& core, const AgentProfile& agent);
/// What the task's attempt may spend, as far as money is bounded; 0: it is not.
Micros budget_left(const Core& core, const Task& task, const AgentProfile& agent);

/// What an attempt of the task is expected to cost; nothing, if there are no budgets to keep.
Amount expected_cost(const Core& core, const Task& task);
/// The attempt's process has ended, or will not be heard of again.
void release_reservation(Core& core, const Held& attempt);
/// A reaction (reactions.hpp): reserves, releases, warns, and lifts holds for which there is room again.
void count_for_budgets(Core& core, const Change& change);
/// After agents were looked for: the room that was meant for tasks which nobody took (they are held
/// elsewhere, their agents are busy or gone) is for others. Whether holds were lifted.
bool free_more(Core& core);
/// Holds that the board has although there is room; after a start.
void act_on_budgets(Core& core);
/// Errors: invalid (no such scope), not_found (it has no budget).
Result<Nothing> raise_budget(Core& core, const RaiseBudget& request);
/// Reads the board: at start, and when a batch was lost.
void expect_spending(Core& core);

}  // namespace bidboard
