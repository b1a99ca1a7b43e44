// Questions about branches and commits of a repository with several worktrees: in which folder a branch may
// not move, and what a worktree has committed that no branch has. Blocks while git works. Edge code.
#pragma once

#include <string>
#include <vector>

#include "agents/worktrees/git.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

/// The folder that a branch belongs to at present. If the branch moved, what is done there would be lost, or
/// would look as if its files had been changed back.
struct Checkout {
  std::string folder;  ///< empty: none, the branch may move
  std::string doing;   ///< "rebased", "bisected": HEAD is elsewhere meanwhile; empty: it is checked out
};
Result<Checkout> checkout_of(const Git& git, const std::string& branch);

/// Whether `newer` is `older` or has it among its ancestors.
Result<bool> is_ancestor(const Git& git, const std::string& older, const std::string& newer);
/// A branch that contains the commit; empty: none.
Result<std::string> branch_with(const Git& git, const std::string& commit);

/// What is begun in this worktree and not ended, so that HEAD is not all of the work, with the command that
/// ends it. Empty: nothing.
Result<std::string> unfinished_in(const Git& git);
/// The newest commits that this worktree was at, or has put aside, and that no branch, tag or remote branch
/// has: left by a reset, in the middle of a rebase, and the like. A commit that was amended is not among
/// them.
Result<std::vector<std::string>> left_behind(const Git& git);
/// From now on the worktree has left nothing.
Result<void> forget_what_was_left(const Git& git);

}  // namespace bidboard
