// One guard process per running task. It is forked from the agent, owns the task's whole process tree, and
// outlives the agent: when the agent dies (its end of the control pipe closes) or asks for a stop, or the
// time limit is reached, the guard ends the tree with TERM and, after a grace period, KILL. Then it reports
// and exits.
//
// Guarantees:
//  - Two executions under one lock path never overlap on a machine: the lock is held until the tree is gone,
//    even if the earlier agent was killed a moment ago. (The command inherits the lock's descriptor, so that
//    the lock outlives even a SIGKILLed guard for as long as any part of the tree does.)
//  - When the final report arrives, no process of the tree is running and the lock is free.
//  - On Linux the tree includes daemons that left the process group and session, and the direct child dies
//    with a SIGKILLed guard; elsewhere the tree is the process group.
//
// GuardedProcess is for one thread. The first start makes the program ignore SIGPIPE: writing to a command
// that does not read must not end the agent.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agents/guard/descriptor.hpp"
#include "agents/guard/folder.hpp"
#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

struct GuardSpec {
  std::vector<std::string> argv;         ///< argv[0] is a path; there is no search through PATH
  std::vector<std::string> environment;  ///< whole, as NAME=value
  Folder place;                          ///< where the command runs; none: the agent's own directory
  std::string directory;                 ///< in it, or a path; empty: that place itself
  Folder folder;                         ///< lock_path and scratch are names in it; none: paths
  std::string lock_path;                 ///< taken with flock before the command starts; empty: none
  std::vector<std::string> scratch;      ///< files removed when the tree is gone
  Duration lock_wait = seconds(30);
  Duration timeout{};                   ///< wall time of the command; 0: none
  Duration grace = seconds(1);          ///< between TERM and KILL
  Duration linger = milliseconds(100);  ///< what the command left behind may take so long to end by itself
  int log = -1;  ///< borrowed, opened O_APPEND: gets a line when processes had to be stopped
};

/// How many locks a guard can hold for its agent (GuardedProcess::hold).
constexpr unsigned guard_slots = 64;

/// How it went, and what `code` means.
enum class GuardWord : std::uint8_t {
  started = 1,   ///< the command runs; code: its pid, which is also its process group
  exited,        ///< code: exit status
  signalled,     ///< code: the signal that ended it
  timed_out,     ///< stopped: its time was up
  stopped,       ///< stopped: the agent asked for it
  agent_gone,    ///< stopped: the agent died (only the log shows it)
  exec_failed,   ///< never ran; code: errno
  lock_timeout,  ///< never ran: an earlier execution still holds the lock
  lost,          ///< the guard itself died; code: 0. The command's outcome is unknown
};

/// Which step failed before the command ran.
enum class GuardPhase : std::uint8_t { none = 0, lock, fork, directory, exec };

struct GuardReport {
  GuardWord word = GuardWord::lost;
  GuardPhase phase = GuardPhase::none;
  std::int32_t code = 0;
  std::uint32_t killed = 0;  ///< processes that had to be stopped
  std::int64_t wall_us = 0;  ///< from the command's start to its end, or to the decision to end it
  std::int64_t cpu_us = 0;   ///< user + system time of the tree
};

class GuardedProcess {
 public:
  GuardedProcess() = default;
  GuardedProcess(GuardedProcess&& other) noexcept;
  GuardedProcess& operator=(GuardedProcess&&) = delete;
  /// Stops the tree if it still runs and waits until it is gone: at most the grace plus what the kernel
  /// needs.
  ~GuardedProcess();

  /// Asks the guard to stop the tree. Returns at once; the report follows. Harmless if repeated or too late.
  void stop();
  /// Gives the guard a copy of a descriptor, which it keeps until the slot is used again or the tree is gone.
  /// This is for locks on the single tasks of a long-lived command: a lock held like this does not end with a
  /// killed agent while the command lives. REQUIRES slot < guard_slots. Errors: unavailable (the guard cannot
  /// be reached).
  Result<void> hold(unsigned slot, const Descriptor& descriptor);
  /// The next report, if one has arrived: `started` at most once, then exactly one other, after which
  /// `ended()`.
  std::optional<GuardReport> next_report();
  bool ended() const { return ended_; }

  pid_t guard_pid() const { return pid_; }
  /// Readable when a report has arrived.
  int report_fd() const { return report_.get(); }

  // The agent's ends, non-blocking. The code that serves them may close them.
  Descriptor input;
  Descriptor output;
  Descriptor errors;

 private:
  friend Result<GuardedProcess> start_guarded(const GuardSpec&);

  pid_t pid_ = 0;
  bool ended_ = true;
  Descriptor control_;
  Descriptor report_;
};

/// Errors: unavailable (no process or descriptor left), invalid (an empty argv). If the command itself could
/// not be executed, the report says so.
Result<GuardedProcess> start_guarded(const GuardSpec& spec);

}  // namespace bidboard
