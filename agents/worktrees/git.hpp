// Git as a child process: arguments as they are given (no shell), an environment without what others set for
// git, no hooks, no prompts, no pager, no background maintenance. Blocks until git has ended; for short-lived
// processes, not for agents' loops. Edge code.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// How git ended and what it said.
struct GitRun {
  int status = 0;  ///< its exit status; 128 + the signal that ended it
  std::string output;
  std::string errors;
};

/// A git command takes at most so long, and prints at most so much: beyond, it is ended.
constexpr Duration git_time_max = minutes(10);
constexpr std::size_t git_bytes_max = std::size_t{16} << 20;

/// Git in one folder. Has no state: copies are as good.
class Git {
 public:
  explicit Git(std::string folder) : folder_(std::move(folder)) {}
  const std::string& folder() const { return folder_; }

  /// `input` goes in on stdin. Errors: unavailable (git is not installed, or no process could be started),
  /// failed (too long, too much output).
  Result<GitRun> run(const std::vector<std::string>& arguments, std::string_view input = {},
                     Duration longest = git_time_max) const;
  /// The output without its last line end. Errors: of run(); failed, with what git said, if its status is not
  /// 0.
  Result<std::string> ask(const std::vector<std::string>& arguments, std::string_view input = {}) const;
  /// For questions that git answers by its status: 0 is yes, 1 is no. Errors: as ask() for any other one.
  Result<bool> holds(const std::vector<std::string>& arguments) const;
  /// The commit that a name stands for; empty: there is no such one.
  Result<std::string> commit_of(const std::string& name) const;
  /// Those of the commits that are not here, or cannot be reached from the references, which are given as
  /// `git rev-list --not` takes them. Errors: of ask().
  Result<std::set<std::string>> lacking(const std::vector<std::string>& commits,
                                        const std::vector<std::string>& references) const;
  /// As ask(), for commands that make commits: with an identity of ours, if none is configured.
  Result<std::string> commit(std::vector<std::string> arguments, std::string_view input = {}) const;
  /// As run(), likewise.
  Result<GitRun> run_as_someone(std::vector<std::string> arguments, std::string_view input = {}) const;

 private:
  std::string folder_;
};

/// What git said, in a line.
std::string said(const GitRun& run);
/// The parts of a list that git ends with zero bytes each.
std::vector<std::string> split_zeros(std::string_view text);

}  // namespace bidboard
