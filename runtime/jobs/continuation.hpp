// How a job goes on that was run before: what is kept of the earlier run, and what of the file is posted
// anew. Tasks are compared by their names. A task that the file changed is replaced, and so is everything
// that needs it, since it must wait for the new one. Pure.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/jobs/plan.hpp"

namespace bidboard {

struct Continuation {
  std::vector<TaskId> ids;           ///< in the order of Plan::tasks: the task that is kept; 0: to be posted
  std::vector<TaskId> cancel;        ///< of the earlier run: replaced, or no longer in the file
  std::vector<TaskId> retry;         ///< kept, ended without being done, and not because of others
  std::vector<std::string> changed;  ///< names, in the order of the file
  std::vector<std::string> added;
  std::vector<std::string> removed;
  std::set<TaskId> done;  ///< of the kept ones
  bool complete = false;  ///< the earlier run did all of its tasks, but for those the file has lost since
};

/// `tasks_planned`: Workflow::planned of the earlier run, which may have been interrupted while it posted.
/// `earlier`: all tasks of that workflow. Tasks that its tasks posted (with a parent) are
/// ignored.
Continuation continue_from(const Plan& plan, std::size_t tasks_planned, const std::vector<Task>& earlier);

}  // namespace bidboard
