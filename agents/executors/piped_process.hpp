// A guarded process whose pipes are served without ever blocking: what it is sent waits until it reads, what
// it writes is handed out in pieces. For one thread.
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

  /// Queues bytes for its input. A process that closed its input gets nothing more, and that is no error.
  void send(std::string_view bytes);
  /// Its input ends after what is queued.
  void end_input();
  std::size_t unsent() const { return pending_.size() - sent_; }
  void stop() { guarded_.stop(); }
  Result<void> hold(unsigned slot, const Descriptor& lock) { return guarded_.hold(slot, lock); }

  /// What happened since the last call. Nothing is handed out before the report that it runs. After the final
  /// report all that it ever wrote has been handed out.
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
  bool heard_ = false;  ///< a report has come
};

/// /bin/sh -c COMMAND. The text is the agent's owner's (or, with allow_run, the task's run field): nothing is
/// spliced in.
std::vector<std::string> shell_argv(const std::string& command);
/// "exit 3", "killed by signal 9 (Killed)", "could not start: No such file or directory", ...; what the
/// report says.
std::string describe(const GuardReport& report);

}  // namespace bidboard
