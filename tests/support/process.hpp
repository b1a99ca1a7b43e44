// Programs run by tests: to their end, or in the background but not longer than their object. Their output
// goes to unnamed files, so that no pipe has to be drained. For one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bidboard::testing {

/// Long, because it runs out only in a failing test, and sanitizers and busy machines are slow. TEST_PATIENCE
/// sets the seconds where the failure is expected (negative controls).
extern const std::chrono::seconds patience;

struct ProcessOptions {
  std::string directory;                           ///< its working directory; empty: this one
  std::map<std::string, std::string> environment;  ///< added to the inherited one without BIDBOARD_*
  std::string input;                               ///< its stdin
  int begin_when_closed = -1;       ///< the program starts when this pipe's other end is closed
  std::vector<int> close_in_child;  ///< descriptors to close in it
};

struct Finished {
  int exit_code = -1;  ///< 128 + N after signal N; -1: killed after the patience
  std::string out;
  std::string err;
};

class Process {
 public:
  /// argv[0] is a path or a name on PATH. A program that cannot be executed ends with 127.
  explicit Process(std::vector<std::string> argv, const ProcessOptions& options = {});
  /// TERM, then KILL, then waits for its end.
  ~Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t pid() const;
  bool running();
  void signal(int number);
  /// See Finished::exit_code.
  int wait(std::chrono::seconds limit = patience);
  /// SIGKILL, and waits for its end.
  void kill();
  /// What it has printed so far.
  std::string out() const;
  std::string err() const;

 private:
  void stop();

  struct State;
  std::unique_ptr<State> state_;
};

Finished run_program(std::vector<std::string> argv, const ProcessOptions& options = {});

/// Whether a process with that id exists and is not a zombie.
bool process_exists(pid_t pid);

}  // namespace bidboard::testing
