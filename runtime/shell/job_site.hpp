// Where a job runs: the board of this folder, or a temporary one if there is none.
#pragma once

#include <sys/types.h>

#include <set>
#include <string>

#include "agents/guard/descriptor.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

class JobSite {
 public:
  /// `project`: the default project of a temporary board. Errors: of find_board(), storage.
  static Result<JobSite> open(const Globals& globals, const std::string& project);
  JobSite(JobSite&& other) noexcept;
  JobSite& operator=(JobSite&&) = delete;
  /// Removes a temporary board, unless it is kept.
  ~JobSite();

  const BoardDirectory& board() const { return board_; }
  bool temporary() const { return temporary_; }
  void keep(bool kept) { kept_ = kept; }
  /// Exclusive right to run this job on the board, as long as the descriptor is open. `job`: what tells it
  /// from others. Errors: conflict (another process runs it), storage.
  Result<Descriptor> take_job(const std::string& job) const;
  /// On a temporary board no rights are checked.
  CallOptions caller() const;

 private:
  JobSite(BoardDirectory board, bool temporary) : board_(std::move(board)), temporary_(temporary) {}

  BoardDirectory board_;
  bool temporary_;
  bool kept_ = false;
};

/// The processes of `bidboard run` whose jobs are under way on the board. Not for a process that runs one
/// itself: POSIX gives up its lock.
std::set<pid_t> running_jobs(const BoardDirectory& board);

}  // namespace bidboard
