// Bringing the work of finished tasks to a remote, each as a branch of its own, for those who merge by pull
// requests. Nothing is overwritten there: a branch that has commits which the work lacks stays as it is. What
// was pushed is kept as a ref of the repository, so that a branch which somebody merged and deleted there is
// not pushed again. Blocks while git works. Edge code.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agents/worktrees/git.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

class Pushing {
 public:
  /// `folder` is in the repository, `remote` a name that `git remote` lists. `rehearses`: all is tried, and
  /// the remote stays as it is. Errors: not_found (no such remote, or no repository), unavailable (no git).
  static Result<Pushing> to(const std::string& folder, const std::string& remote, bool rehearses);

  const std::string& remote() const { return remote_; }
  bool rehearses() const { return rehearses_; }
  /// Whether this commit was pushed for the task before, or a rehearsal tried it.
  bool was_pushed(TaskId task, const std::string& commit) const;
  /// Those of the commits that the remote's default branch does not have, as it is now; all of them, if that
  /// cannot be told: it is asked over the network, and what it has may not be known here. Errors: failed.
  Result<std::set<std::string>> lacking(const std::vector<std::string>& commits) const;
  /// Pushes the commit as the remote's branch. Errors: conflict (the branch there has other commits),
  /// not_found (the commit is not here), refused (by the remote, or since the branch does not belong to the
  /// task), unavailable (the remote cannot be reached), failed.
  Result<void> push(TaskId task, const std::string& branch, const std::string& commit);

 private:
  Pushing(Git git, std::string remote, bool rehearses)
      : git_(std::move(git)), remote_(std::move(remote)), rehearses_(rehearses) {}
  std::string marks() const;

  Git git_;
  std::string remote_;
  bool rehearses_;
  std::string pushed_;  ///< the marks, a line each, between line ends
};

}  // namespace bidboard
