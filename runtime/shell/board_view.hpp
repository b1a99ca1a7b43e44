// Reads the board for lists and reports: one snapshot, records decoded on demand.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <map>

#include "blackboard/records.hpp"
#include "blackboard/store/store.hpp"
#include "runtime/shell/command.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {

class BoardView {
 public:
  /// The board as it is now. Errors: as open_snapshot.
  static Result<BoardView> open(const BoardDirectory& directory);
  static Result<BoardView> open(const Globals& globals);
  /// As it was after this event (--at); 0: now. Errors: as open; not_found (no such event, or compacted).
  static Result<BoardView> open_at(const BoardDirectory& directory, std::int64_t seq);
  static Result<BoardView> open_at(const Globals& globals, std::int64_t seq);

  const BoardDirectory& directory() const { return directory_; }
  const Snapshot& snapshot() const { return *snapshot_; }
  /// The time from which "3m ago" counts: of the clock, or of the event that the view ends with.
  WallTime now() const;

  /// Errors: not_found, naming the id; corrupt.
  Result<Task> task(TaskId id) const;
  Result<std::vector<Task>> tasks() const;
  /// Those that wait for an agent, in scheduling order. Errors: as Snapshot::scan; corrupt.
  Result<std::vector<Task>> ready_tasks() const;
  /// Errors: not_found, corrupt.
  Result<Workflow> workflow(WorkflowId id) const;
  /// Errors: as Snapshot::scan.
  Result<std::vector<TaskId>> ids_under(std::string_view prefix) const;
  Result<std::vector<Agent>> agents() const;
  Result<std::vector<Workflow>> workflows() const;
  /// Of agents and accounts that rest, by name.
  Result<std::map<std::string, Breaker>> open_breakers() const;
  /// "rests with account team for 58m: rate_limit (429)"; empty: the agent does not rest.
  std::string rest_of(const Agent& agent, const std::map<std::string, Breaker>& open) const;
  /// What experience says of agents' bids, by keys::calibration().
  Result<std::map<std::string, Calibration>> calibrations() const;
  /// What was charged, by scope.
  Result<std::vector<Spending>> spending() const;
  /// Why a budget leaves the agent nothing to do; empty: none does. Errors: corrupt.
  Result<std::string> beyond_budget(const Agent& agent) const;
  Result<Config> config() const;
  /// The ids of the rows of the SQL table for which the condition holds (--where). Errors: as
  /// Query::ids_where.
  Result<std::vector<std::string>> ids_where(std::string_view table, std::string_view condition) const;
  /// The agent's name ("scout2"); its id ("a7") when its record is missing or cannot be read; "-" for none.
  std::string agent_name(AgentId id) const;
  /// Who wrote or edited something: the agent's name, or "operator".
  std::string author(AgentId id) const { return id ? agent_name(id) : "operator"; }
  /// Oldest first. Errors: as Snapshot::scan; corrupt.
  Result<std::vector<Comment>> comments_on(TaskId task) const;
  /// Empty: there is none. Errors: as Snapshot::get; corrupt when its content is missing.
  Result<std::string> result_of(const Task& task) const;

 private:
  BoardView(BoardDirectory directory, std::unique_ptr<Snapshot> snapshot);
  BoardDirectory directory_;
  std::unique_ptr<Snapshot> snapshot_;
  WallTime past_;  ///< 0: the view is of now
};

/// "12s ago", "-" when unset.
std::string ago(WallTime at, WallTime now);
/// The state in its colour.
Shown shown_state(TaskState state);
/// "failed: exit code 3", or the state alone if there is no reason.
Shown state_and_reason(const Task& task);
/// As `show --json` and `tasks --json` print it.
Result<Value> task_to_json(const BoardView& board, const Task& task);

/// What keeps a waiting task from being awarded, one text for each hold: "back-off, 3s left", "pause: lunch".
/// Nothing for a task that is awarded or over.
std::vector<std::string> holds_in_words(const Task& task, WallTime now);
/// "40 % reading the logs"; empty: nothing was told, or it is not worked on.
std::string progress_in_words(Micros fraction, const std::string& text);
std::string progress_in_words(const Task& task);

}  // namespace bidboard
