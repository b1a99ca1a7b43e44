// The facts of one run, simulated or live: read from the board's log, completed by the observer of the run
// (the simulated network, or /proc). Times are seconds since the workload was posted. Pure.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "blackboard/events.hpp"
#include "blackboard/store/store.hpp"

namespace bidboard {

struct TaskFacts {
  double ready = 0;          ///< when it became ready
  double awarded = -1;       ///< for the first time; -1: never
  double awarded_last = -1;  ///< the attempt that was accepted
  double started = -1;       ///< the start of that attempt
  double finished = -1;
  int awards = 0;
  std::size_t agent = 0;  ///< the agent whose result was accepted
  double price = 0;
  bool done = false;
};
/// One stretch of work on a task.
struct ExecutionFacts {
  std::size_t task = 0;
  std::size_t agent = 0;
  double begin = 0;
  double end = 0;
  bool useful = false;  ///< its result was accepted
};
struct AgentFacts {
  std::string name;
  double speed = 1;
  std::uint32_t slots = 1;
  double alive = 0;   ///< lifetime of its process, in seconds
  double worked = 0;  ///< sum over its slots
};
/// The end of an agent that held tasks.
struct FailureFacts {
  double at = 0;              ///< when it died
  double detected = -1;       ///< when the board recorded it
  double redistributed = -1;  ///< when all of its tasks were awarded again
};

struct RunFacts {
  bool finished = false;  ///< every task is done
  double makespan = 0;  ///< from the post to the last accepted result; until the time limit when not finished
  std::vector<TaskFacts> tasks;
  std::vector<ExecutionFacts> executions;
  std::vector<AgentFacts> agents;
  std::vector<FailureFacts> failures;
  // Not in the board's log; negative: not observed.
  double messages = -1;
  double bytes = -1;
  double lost = -1;           ///< of the messages
  double links = -1;          ///< pairs of processes that exchanged a message
  double controller = -1;     ///< real seconds in the controller and its store
  double conflicts = -1;      ///< tasks that an agent asked for and did not get
  double managers_alive = 0;  ///< seconds, over all managers' processes
  double processes = 0;       ///< started, the controller included
  double memory = -1;         ///< resident bytes of all of them, together
  // Of accounts at providers (FaultsSpec::accounts).
  double used_up = -1;        ///< attempts that count although the provider ended them
  double calls_refused = -1;  ///< by providers
  double billed = -1;         ///< by providers, for attempts of any outcome
};

/// Every event of the log, in its order. Errors: corrupt, storage.
Result<void> each_event(const Snapshot& board, const std::function<void(const Event&)>& see);

/// Tasks, agents, executions and failures from the log. `agents`: the names, in the order of the result.
/// Errors: corrupt.
Result<RunFacts> read_facts(const Snapshot& board, const std::vector<std::string>& agents);

}  // namespace bidboard
