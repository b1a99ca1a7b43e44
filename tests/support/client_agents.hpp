// Stand-ins of coding agents' clients: scripts that print what the real ones were seen to print.
#pragma once

#include <cstdlib>
#include <string>

#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

namespace bidboard::testing {

/// Puts a program of this name first on the PATH of the board's agents.
inline ProcessOptions with_client(const TestBoard& board, const std::string& name,
                                  const std::string& script) {
  REQUIRE(std::system(("mkdir -p '" + board.path("bin") + "'").c_str()) == 0);
  board.write_script("bin/" + name, "#!/bin/sh\ncat > /dev/null\n" + script);
  ProcessOptions options = board.surroundings();
  options.environment["PATH"] = board.path("bin") + ":" + std::getenv("PATH");
  return options;
}

inline Process client_agent(const TestBoard& board, const ProcessOptions& options, const std::string& name,
                            const std::string& client, const std::string& account) {
  return board.start({"agent", "--name", name, "--preset", client, "--account", account}, options);
}

}  // namespace bidboard::testing
