// Helpers for tests of processes: start a guarded shell, read its reports, and tell whether a process lives.
#pragma once

#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <string>

#include "agents/guard/guard.hpp"
#include "agents/guard/platform.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace bidboard {

inline GuardSpec shell(const std::string& command) {
  GuardSpec spec;
  spec.argv = {"/bin/sh", "-c", command};
  spec.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
  return spec;
}

/// A zombie that has not been reaped does not count as alive.
inline bool lives(pid_t pid) {
  return kill(pid, 0) == 0 &&
         (process_start_ticks(pid).has_value() || process_start_ticks(getpid()) == std::nullopt);
}

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// Waits for a file with a complete line, and returns the number in it.
inline pid_t pid_from(const std::string& path) {
  REQUIRE(eventually([&] { return contents(path).find('\n') != std::string::npos; }));
  return static_cast<pid_t>(std::stol(contents(path)));
}

/// Waits for the next report.
inline GuardReport await_report(GuardedProcess& process) {
  for (;;) {
    if (const auto report = process.next_report()) return *report;
    pollfd item{process.report_fd(), POLLIN, 0};
    REQUIRE(poll(&item, 1, 60'000) == 1);
  }
}

/// The report after `started`.
inline GuardReport await_end(GuardedProcess& process) {
  GuardReport report = await_report(process);
  if (report.word == GuardWord::started) report = await_report(process);
  return report;
}

}  // namespace bidboard
