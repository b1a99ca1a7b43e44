// Programs run by tests: one to its end, or one in the background that never outlives its object. What they
// print goes to unnamed files, so that nobody has to read along. For one thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace bidboard::testing {

/// Long, because only a failure uses it up, and sanitizers and busy machines are slow. TEST_PATIENCE sets the
/// seconds where a failure is what one waits for (negative controls).
extern const std::chrono::seconds patience;

struct ProcessOptions {
  std::string directory;  ///< where it runs; empty: here
  std::map<std::string, std::string>
      environment;                  ///< beside what is inherited, of which BIDBOARD_* is left out
  std::string input;                ///< its stdin
  int begin_when_closed = -1;       ///< the program begins when this pipe's other end is closed
  std::vector<int> close_in_child;  ///< descriptors that must not live on in it
};

struct Finished {
  int exit_code = -1;  ///< 128 + N after signal N; -1: it took longer than the patience and was killed
  std::string out;
  std::string err;
};

class Process {
 public:
  /// argv[0] is a path or a name on PATH. A program that cannot be executed ends with 127.
  explicit Process(std::vector<std::string> argv, const ProcessOptions& options = {});
  /// TERM, then KILL, then gone.
  ~Process();
  Process(Process&&) noexcept;
  Process& operator=(Process&& other) noexcept;

  pid_t pid() const;
  bool running();
  void signal(int number);
  /// See Finished::exit_code.
  int wait(std::chrono::seconds limit = patience);
  /// SIGKILL, and waits until it is gone.
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

/// Whether any process of that number exists, and is no zombie.
bool process_exists(pid_t pid);

}  // namespace bidboard::testing
