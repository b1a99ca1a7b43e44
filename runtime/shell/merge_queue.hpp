// What `bidboard merge` brings into a branch, and in which order. A task whose work conflicts, or fails the
// check, gets a task that settles it, a fix; its key names the branch, the task and the commit, so that there
// is one at a time for each. Asks git, and reads no board: the tasks are given. Edge code.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agents/worktrees/merging.hpp"
#include "blackboard/records.hpp"

namespace bidboard {

/// A task whose work is not in the branch yet.
struct Waiting {
  Task task;
  std::string why;               ///< why it is not merged now; empty: it can be tried
  TaskId settled_in{};           ///< this fix is done, and its commit contains the task's
  TaskId fix{};                  ///< this one is being worked on, or waits
  std::uint64_t next_fix = 1;    ///< the number in the key of a further one
  std::size_t fix_of_fixes = 0;  ///< it is a fix itself: of what was no fix 1, of such a fix 2, and so on
};

/// A fix that nobody has begun, of work that is in the branch already: somebody merged it by hand.
struct Unneeded {
  TaskId fix;
  TaskId of;
};

/// What so many fixes, each of the last, did not settle waits for a person: each is an agent's session.
constexpr std::size_t fixes_max = 2;
/// The kind of a fix.
constexpr const char* fix_kind = "merge";
std::string fix_key(const std::string& branch, const Task& task, std::uint64_t number);
/// Whether the queue has to know of it.
bool concerns_merging(const Task& task);

class MergeQueue {
 public:
  /// Done tasks with a commit that the branch does not have: each after those that it needs and what settles
  /// those, else the one that was done first. Fixes for other branches are left out, since they bring those
  /// branches with them, unless they are chosen by name. Errors: of git.
  static Result<MergeQueue> of(std::vector<Task> tasks, const Merging& merging,
                               const std::set<TaskId>& chosen);

  const std::vector<Waiting>& waiting() const { return waiting_; }
  const std::vector<Unneeded>& unneeded() const { return unneeded_; }
  /// To be told of each that was tried, or passed over, in order.
  void settle(const Waiting& tried, bool merged);
  /// A needed task that was not brought in, so that this one waits; none: it can be tried.
  TaskId missing_for(const Task& task) const;

 private:
  std::vector<Waiting> waiting_;
  std::vector<Unneeded> unneeded_;
  std::set<TaskId> kept_back_;
  std::set<TaskId> merged_;
};

}  // namespace bidboard
