// How much memory a process takes, for tests that bound it. 0 where there is no /proc.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <fstream>
#include <string>

#include "tests/support/build.hpp"

namespace bidboard::testing {

/// AddressSanitizer keeps up to 256 MB of freed memory, and its records of it.
inline std::int64_t sanitizer_kb() { return is_sanitized ? 600'000 : 0; }

/// A line of /proc/PID/status in KB.
inline std::int64_t status_kb(pid_t pid, const std::string& name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(name + ":")) return std::stoll(line.substr(name.size() + 1));
  return 0;
}

/// Resident now, without the pages of mapped files.
inline std::int64_t resident_kb(pid_t pid) { return status_kb(pid, "RssAnon"); }
/// The largest resident size so far.
inline std::int64_t peak_kb(pid_t pid) { return status_kb(pid, "VmHWM"); }

}  // namespace bidboard::testing
