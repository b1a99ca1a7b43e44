// A random world around a Node over a store in memory: agents that register, report, lie and die, operators
// with requests of every kind, commits that fail, restarts. After every batch the core's guarantees are
// checked from outside: by its events, its sends and the records.
#pragma once

#include <string>
#include <vector>

#include "tests/support/choices.hpp"

namespace bidboard::testing {

struct RandomRun {
  std::vector<std::string>
      broken;                ///< violated guarantees; the run ends with the first batch that violates one
  std::size_t finished = 0;  ///< tasks done
};
/// At most `batches`; fewer when the choices are used up.
RandomRun run_random_world(Choices choices, int batches);

}  // namespace bidboard::testing
