// The outcome of a job: figures and results.
#pragma once

#include <map>

#include "runtime/jobs/plan.hpp"
#include "runtime/shell/board_view.hpp"

namespace bidboard {

struct AgentShare {
  std::size_t tasks = 0;
  Duration busy;  ///< sum of the time from award to result, as far as it lies in this run
};

struct JobSummary {
  std::size_t tasks = 0;
  std::size_t done = 0;
  std::vector<Task> not_done;
  std::size_t retries = 0;  ///< attempts beyond the first
  Duration makespan;        ///< from posting, or the begin of this run, to the last end
  Duration least;           ///< the estimated critical path: at speed 1 no schedule is shorter
  Micros price = 0;
  std::int64_t tokens = 0;
  std::map<std::string, AgentShare> agents;
  std::vector<std::pair<std::string, std::string>>
      results;  ///< of the tasks that no other task needs: name, result
};

/// `begun`: of this run; a job that goes on was posted earlier.
Result<JobSummary> summarise(const BoardView& board, const Plan& plan, const std::vector<TaskId>& ids,
                             WallTime begun);
void print_summary(const JobSummary& summary);
Value to_value(const JobSummary& summary);

}  // namespace bidboard
