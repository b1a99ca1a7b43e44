// Shows the progress of a running job: on a terminal a line per agent and a bar, redrawn in place; otherwise
// a line per event.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "blackboard/events.hpp"
#include "runtime/shell/board_view.hpp"

namespace bidboard {

class JobProgress {
 public:
  /// `total`: tasks of the job. `quiet`: show nothing.
  JobProgress(std::size_t total, bool quiet);
  /// Events up to this one are skipped; `ended` tasks of the job were over before.
  void start_after(Seq last, std::size_t ended) { seen_ = last, ended_ = ended; }

  /// Shows the events since the last call. Errors: corrupt.
  Result<void> update(const BoardView& board, const std::set<TaskId>& job);
  /// On a terminal: what goes on takes a second longer.
  void redraw();
  /// Removes the lines that are redrawn in place.
  void finish();
  /// Prints a line above the progress, such as "agent restarted".
  void note(const std::string& text);
  std::size_t done() const { return ended_ - failed_; }

 private:
  void show_event(const BoardView& board, const Event& event, const std::set<TaskId>& job);
  /// What an agent does, as of the last update.
  struct Doing {
    struct One {
      Shown task;
      WallTime since;
      Shown progress;
    };
    std::string agent;
    bool known = true;
    std::vector<One> tasks;
    Shown in_words(WallTime now) const;
  };
  void see(const BoardView& board);
  void draw();
  void erase();

  std::size_t total_;
  bool quiet_;
  bool live_;
  Instant begun_;
  Seq seen_;
  std::size_t ended_ = 0;
  std::size_t failed_ = 0;
  std::size_t drawn_lines_ = 0;
  std::vector<Doing> doing_;  ///< by the agents' names; at most as many as are shown
};

}  // namespace bidboard
