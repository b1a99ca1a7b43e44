// Simulated worlds from many seeds (runtime/sim/scenario.hpp), run by the program that people use: all
// guarantees hold, the same seed gives the same run in every build, and a guarantee that is switched off
// fails.
#include <cstdlib>
#include <fstream>

#include "blackboard/fmt.hpp"
#include "runtime/sim/scenario.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

using namespace bidboard;
using namespace bidboard::sim;
using namespace bidboard::testing;

namespace {

const std::uint64_t usual_seeds = is_sanitized ? 400 : 2'000;

struct Ended {
  int code = 0;
  std::string out;
};

Ended simulate(std::vector<std::string> arguments) {
  const std::string binary = bidboard_binary;
  arguments.insert(arguments.begin(), binary.substr(0, binary.rfind('/')) + "/tests/simulate");
  Process process(std::move(arguments), {});
  const int code = process.wait(std::chrono::seconds(1'000));
  return {code, process.out()};
}

std::uint64_t setting(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("under any faults the guarantees hold, and once the world is healed every task ends") {
  // BIDBOARD_SOAK=20 runs twenty times as many worlds, BIDBOARD_SEED=7 starts at that seed.
  const std::uint64_t first = setting("BIDBOARD_SEED", 1);
  const std::uint64_t last = first + usual_seeds * setting("BIDBOARD_SOAK", 1) - 1;
  const Ended run = simulate({"--seeds", fmt::format("{}..{}", first, last), "--jobs", "2"});
  INFO(run.out);
  CHECK(run.code == 0);
  CHECK(run.out.find("everything held") != std::string::npos);
}

TEST_CASE("a seed gives the same run in every build") {
  // BIDBOARD_REWRITE=1 rewrites the file, after an intended change of the core's decisions.
  const std::string path = fmt::format("{}/tests/sim/log_hashes.txt", BIDBOARD_SOURCE_DIR);
  const Ended run = simulate({"--seeds", "1..20", "--hashes"});
  REQUIRE(run.code == 0);
  const std::string hashes = run.out.substr(0, run.out.find("20 seeds"));
  if (std::getenv("BIDBOARD_REWRITE")) std::ofstream(path) << hashes;
  std::ifstream kept(path);
  CHECK(hashes == std::string(std::istreambuf_iterator<char>(kept), {}));
}

TEST_CASE("without a guarantee, simulated worlds fail within a thousand seeds") {
  for (const char* guarantee : {"fencing", "commit", "dedupe", "outages", "billing"}) {
    INFO(guarantee);
    const Ended run = simulate({"--seeds", "1..1000", "--jobs", "2", "--sabotage", guarantee});
    INFO(run.out);
    CHECK(run.code == 1);
    CHECK(run.out.find("replay it with: ") != std::string::npos);
    CHECK(run.out.find(fmt::format("--sabotage {}", guarantee)) != std::string::npos);
  }
}
