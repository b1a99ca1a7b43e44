// What a program's environment says so that it runs under the library of tests/support/failing_disk.
#pragma once

#include <cstdlib>
#include <map>
#include <string>

#include "blackboard/fmt.hpp"

#include "tests/support/build.hpp"

namespace bidboard::testing {

/// `variable` is one of the library's own: FAILING_DISK or FORBID_CONNECT.
inline std::map<std::string, std::string> on_failing_disk(const std::string& variable,
                                                          const std::string& value) {
  const char* asan = std::getenv("ASAN_OPTIONS");
  return {{"LD_PRELOAD", failing_disk_library},
          // A sanitizer wants to be loaded first, unless it is told that it may be second.
          {"ASAN_OPTIONS", fmt::format("{}:verify_asan_link_order=0", asan ? asan : "")},
          {variable, value}};
}

}  // namespace bidboard::testing
