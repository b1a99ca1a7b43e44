// What happened in one run, whether it was simulated or live: read from the board's log, completed by whoever
// watched. Times are seconds since the workload was posted. Pure.
#pragma once

#include <string>
#include <vector>

#include "blackboard/store/store.hpp"

namespace bidboard {

struct TaskFacts {
  double ready = 0;          ///< it could have been awarded
  double awarded = -1;       ///< for the first time; -1: never
  double awarded_last = -1;  ///< the attempt that was accepted
  double started = -1;       ///< the same that was accepted
  double finished = -1;
  int awards = 0;
  std::size_t agent = 0;  ///< whose result was accepted
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
  double alive = 0;   ///< seconds that its process was there
  double worked = 0;  ///< sum over its slots
};
/// The end of an agent that held tasks.
struct FailureFacts {
  double at = 0;              ///< it died
  double detected = -1;       ///< the board knew
  double redistributed = -1;  ///< all it held was awarded again
};

struct RunFacts {
  bool finished = false;  ///< every task is done
  double makespan = 0;  ///< from the post to the last accepted result; until the time limit when not finished
  std::vector<TaskFacts> tasks;
  std::vector<ExecutionFacts> executions;
  std::vector<AgentFacts> agents;
  std::vector<FailureFacts> failures;
  // What the board's log does not tell; negative: not watched.
  double messages = -1;
  double bytes = -1;
  double lost = -1;           ///< of the messages
  double links = -1;          ///< pairs of processes that talked
  double controller = -1;     ///< real seconds in the controller and its store
  double conflicts = -1;      ///< tasks that an agent asked for and did not get
  double managers_alive = 0;  ///< seconds, over all processes that lead and do no tasks
  double processes = 0;       ///< started, the controller included
  double memory = -1;         ///< resident bytes of all of them, together
};

/// Tasks, agents, executions and failures as the log has them. `agents`: the names, in the order of the
/// result. Errors: corrupt.
Result<RunFacts> read_facts(const Snapshot& board, const std::vector<std::string>& agents);

}  // namespace bidboard
