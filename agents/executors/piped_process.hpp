// A guarded process whose pipes are served without blocking: its input is buffered until it reads, its output
// is returned in pieces. For one thread.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/executor.hpp"
#include "agents/guard/guard.hpp"

namespace bidboard {

class PipedProcess {
 public:
  /// Errors as of start_guarded.
  static Result<PipedProcess> start(const GuardSpec& spec);

  /// Queues bytes for its input. If the process closed its input, the bytes are dropped; that is not an
  /// error.
  void send(std::string_view bytes);
  /// Closes its input after the queued bytes.
  void end_input();
  std::size_t unsent() const { return pending_.size() - sent_; }
  void stop() { guarded_.stop(); }
  Result<void> hold(unsigned slot, const Descriptor& lock) { return guarded_.hold(slot, lock); }

  /// What happened since the last call. No output is returned before the report that the process runs. With
  /// the final report, all output has been returned.
  struct Traffic {
    std::string output;
    std::string errors;
    std::vector<GuardReport> reports;
  };
  Traffic pump();
  bool over() const { return guarded_.ended(); }
  void add_poll(std::vector<PollItem>& items) const;

 private:
  explicit PipedProcess(GuardedProcess guarded) : guarded_(std::move(guarded)) {}
  void feed();

  GuardedProcess guarded_;
  std::string pending_;
  std::size_t sent_ = 0;  ///< bytes of pending_ that are gone already
  bool input_ends_ = false;
  bool heard_ = false;  ///< a report has arrived
};

/// /bin/sh -c COMMAND. The text comes from the agent's owner (or, with allow_run, from the task's run field):
/// nothing is inserted into it.
std::vector<std::string> shell_argv(const std::string& command);
/// The report in words: "exit 3", "killed by signal 9 (Killed)", "could not start: No such file or
/// directory", ...
std::string describe(const GuardReport& report);

}  // namespace bidboard
