// Random inputs, failing commits and restarts over a Node (tests/support/random_world.hpp).
#include <cstdlib>

#include "tests/support/catch.hpp"
#include "tests/support/random_world.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("any messages in any order: the controller's guarantees hold") {
  // BIDBOARD_SOAK=20 runs twenty times as many sequences, BIDBOARD_SEED=7 one, BIDBOARD_SEED=1
  // BIDBOARD_SEEDS=5000 runs that many.
  const auto setting = [](const char* name, std::uint64_t otherwise) {
    const char* text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
  };
  const std::uint64_t first = setting("BIDBOARD_SEED", 1);
  const std::uint64_t usual = std::getenv("BIDBOARD_SEED") ? 1 : 40 * setting("BIDBOARD_SOAK", 1);
  const std::uint64_t last = first + setting("BIDBOARD_SEEDS", usual) - 1;
  std::size_t finished = 0;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    INFO("BIDBOARD_SEED=" << seed);
    const RandomRun run = run_random_world(Choices(seed), 250);
    for (const std::string& broken : run.broken) FAIL_CHECK(broken);
    finished += run.finished;
  }
  CHECK(finished > 5 * (last - first + 1));  // the sequences reach the end of tasks, not only refusals
}
