// Every kept input runs through its target again, in every build.
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/targets.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard::fuzz;
namespace fs = std::filesystem;

namespace {

const fs::path here = fs::path(BIDBOARD_SOURCE_DIR) / "tests" / "fuzz";

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void run(const Target& target, const std::string& bytes) {
  target.run({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

/// Whether the input kills a separate process, with or without the planted bug.
bool kills(const Target& target, const std::string& bytes, bool planted) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::signal(SIGABRT, SIG_DFL);
    ::close(STDERR_FILENO);
    if (planted) ::setenv("BIDBOARD_PLANTED_BUG", "1", 1);
    run(target, bytes);
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

}  // namespace

TEST_CASE("every kept input goes through its fuzz target again") {
  for (const Target& target : targets) {
    INFO(target.name);
    std::size_t inputs = 0;
    for (const auto& entry : fs::directory_iterator(here / "corpus" / target.name)) {
      // In a crash the last line of output is what names the input.
      INFO(entry.path());
      run(target, content_of(entry.path()));
      ++inputs;
    }
    CHECK(inputs > 5);
  }
}

TEST_CASE("the input found for the planted bug kills only the build with that bug") {
  const std::string input = content_of(here / "planted" / "wire_frames");
  REQUIRE_FALSE(input.empty());
  CHECK(kills(targets[0], input, true));
  CHECK_FALSE(kills(targets[0], input, false));
}
