// Brings the commits of tasks into a branch: merged in a temporary worktree, checked there by a command, and
// only then is the branch moved, by compare-and-swap. Whoever reads the branch sees it as it was or as it is
// after a checked merge, whenever this process is killed; the temporary worktree is made anew each time. A
// folder in which the branch is checked out follows by a fast-forward, and only if nothing in it is changed
// and no file that git does not track is in the way. A commit with files in the board's folder is not merged.
// Blocks while git and the check work. Edge code.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "agents/worktrees/branches.hpp"
#include "agents/worktrees/worktree.hpp"

namespace bidboard {

struct MergePlace {
  std::string repository;  ///< a folder in it
  std::string into;        ///< a branch; empty: the one that is checked out in that folder
  std::string check;       ///< a shell command; empty: none
  std::string place;       ///< the folder of the board's worktrees
  Duration check_time = minutes(30);
};

/// What a task did.
struct MergeWork {
  TaskId task;
  std::string title;  ///< for the message
  std::string commit;
};

enum class MergeEnd {
  merged,
  already,       ///< the branch has the commit
  conflict,      ///< `files`
  check_failed,  ///< with the commit, not without it: `output`
  blocked,       ///< nothing was decided: `output` says why, and what to do
};
struct MergeResult {
  MergeEnd end = MergeEnd::blocked;
  std::size_t taken = 0;  ///< how many of the works, from the first, this is about
  std::string target;     ///< the commit of the branch that it was tried on; merged: the new one
  std::string files;      ///< in conflict, a line each
  std::string output;     ///< the last of what the check printed
};

/// One at a time for each board. Move-only.
class Merging {
 public:
  /// To ask only: merge() wants begin(). Errors: unavailable (no git), not_found (no repository, no such
  /// branch), failed.
  static Result<Merging> look_at(MergePlace place);
  /// Errors: as look_at(); conflict (another one is under way).
  static Result<Merging> begin(MergePlace place);
  ~Merging();
  Merging(Merging&&) noexcept = default;
  Merging& operator=(Merging&&) = delete;

  const std::string& into() const { return place_.into; }
  /// Those of these commits that the branch does not have, or that are not in this repository. Two processes,
  /// however many they are. Errors: failed.
  Result<std::set<std::string>> lacking(const std::vector<std::string>& commits) const;
  /// Whether a commit contains another one; false as well if one of them is not in this repository.
  Result<bool> contains(const std::string& newer, const std::string& older) const;
  /// Why the branch may not move at present; empty: it may, as far as is seen from here. Errors: failed.
  Result<std::string> obstacle() const;
  /// Merges each of the works in turn, checks once what comes out, and moves the branch to it. It ends before
  /// the first that cannot be merged, unless that is the first of all: then the result is about that one.
  /// REQUIRES: one at least. Errors: failed.
  Result<MergeResult> merge(const std::vector<MergeWork>& works);
  /// What happened to these files on the branch since it and the commit parted: a line for each commit.
  std::string others_on(const std::string& commit, const std::string& files) const;

 private:
  Merging(MergePlace place, TaskLock lock) : place_(std::move(place)), lock_(std::move(lock)) {}
  Git repository() const { return Git(place_.repository); }
  std::string path() const { return place_.place + "/merge"; }
  /// The commit of the branch now.
  Result<std::string> target() const { return repository().commit_of("refs/heads/" + place_.into); }
  Result<void> make_worktree(const std::string& target) const;
  Result<MergeResult> attempt(const std::vector<MergeWork>& works, const std::string& target);
  Result<MergeResult> add(const MergeWork& work) const;
  Result<MergeResult> failing(MergeResult with);
  Result<std::string> obstacle(const Checkout& checkout) const;
  Result<std::string> in_board(const std::string& from, const std::string& to) const;
  Result<bool> advance(const std::string& from, const std::string& to, std::string& why) const;

  MergePlace place_;
  TaskLock lock_;
  /// What the check says of the branch as it is.
  struct Unmerged {
    std::string commit;
    bool passed = false;
    std::string output;
  };
  Unmerged without_;
};

}  // namespace bidboard
