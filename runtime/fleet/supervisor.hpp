// Starts a controller and agents as child processes, restarts them within bounds, and stops them all. None of
// them outlives the supervisor, not even when it is killed. Edge code, for one thread.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/restart_policy.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {

struct ChildSpec {
  std::string name;               ///< for people: "controller", "scout1"
  std::vector<std::string> argv;  ///< argv[0] is the program
  bool restart = true;            ///< start it again when it ends by itself
  std::string log;                ///< the file to which its stdout and stderr are appended
  std::string input;              ///< the content of its stdin; only processes of this user can see it
  bool essential = false;         ///< nothing works without it: when it ends too often, everything is stopped
  /// While false it is not started, and stays ended: another process has its place. None: always wanted.
  std::function<bool()> wanted = {};
};

class Supervisor {
 public:
  /// `on_note`: called for every end and restart of a child.
  Supervisor(RestartLimit limit, std::function<void(const std::string&)> on_note);
  /// Stops what still runs.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// At once, or when it is wanted. Errors: unavailable (the process cannot be started).
  Result<void> start(ChildSpec child);
  /// Restarts children that have ended. One that ended too often rests, longer each time, while others run.
  /// Errors: failed, when an essential child ended too often, or the last one that ran: everything has been
  /// stopped, and the text names the child and its log.
  Result<void> look_after();
  /// Becomes readable when a child ends.
  int descriptor() const;
  /// TERM; it is not started again, and its end is no note.
  void stop(const std::string& name);
  /// TERM, and KILL after `patience`, agents first, the controller last. Long: on a busy machine an agent
  /// leaves slowly, and one that is killed cannot say that its attempts do not count.
  void stop_all(Duration patience = seconds(15));

  std::size_t running() const;
  /// 0: it does not run.
  pid_t pid_of(const std::string& name) const;

 private:
  struct Child {
    ChildSpec spec;
    pid_t pid = 0;
    RestartPolicy policy;
    Instant launched;
    Instant resumes = never;  ///< resting: when it is started again
    std::uint32_t rests = 0;  ///< in a row
    bool stopped = false;     ///< by stop()
  };
  Result<void> launch(Child& child);
  bool stands_by(Child& child) const;
  void let_rest(Child& child, const std::string& ending);
  bool others_run(const Child& child) const;
  std::string ending_of(const Child& child, int status) const;

  RestartLimit limit_;
  std::function<void(const std::string&)> on_note_;
  std::vector<Child> children_;
};

/// Waits until the supervisor's controller, or another one, serves the board. Errors: unavailable; failed (a
/// stop is requested, or a child ended too often).
Result<Writer> await_serving(const BoardDirectory& board, Duration patience, Supervisor& supervisor,
                             const StopSignal& stop);

}  // namespace bidboard
