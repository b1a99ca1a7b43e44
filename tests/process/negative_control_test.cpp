// A suite that cannot fail proves nothing: with a guarantee switched off, its tests must fail; with it on,
// they must pass.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "agents/guard/platform.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// Whether the named test of a test program passes with a guarantee switched off
/// (blackboard/checks/sabotage.hpp). A test that does not end is no test that fails.
bool passes(const std::string& program, const std::string& test, const std::string& off) {
  const std::string binary = bidboard_binary;
  ProcessOptions options;
  options.environment = {{"SABOTAGE_BIDBOARD", off}};
  if (!off.empty())
    options.environment["TEST_PATIENCE"] = "10";  // it waits for something that does not happen
  Process process({fmt::format("{}/tests/{}", binary.substr(0, binary.rfind('/')), program), test}, options);
  const int exit_code = process.wait(std::chrono::seconds(300));
  INFO(fmt::format("{} without {}: {}\n{}", test, off, exit_code, process.out()));
  REQUIRE(exit_code != -1);
  REQUIRE(process.out().find("No test cases matched") == std::string::npos);
  return exit_code == 0;
}

/// Kills orphaned processes of the tests, and the orphans that these leave.
void kill_orphans() {
  std::vector<ProcessEntry> table(32 * 1024);
  for (bool found = true; found;) {
    found = false;
    const std::size_t count = list_processes(table.data(), table.size()).value_or(0);
    for (std::size_t i = 0; i < count; ++i) {
      if (table[i].parent != ::getpid()) continue;
      found = true;
      ::kill(table[i].pid, SIGKILL);
      ::waitpid(table[i].pid, nullptr, 0);
    }
  }
}

}  // namespace

TEST_CASE("Without fencing, tests of the core and of stopped agents fail") {
  CHECK_FALSE(passes("runtime_tests", "any messages in any order*", "fencing"));
  CHECK_FALSE(passes("process_tests", "Reports of an agent that was stopped*", "fencing"));
  CHECK(passes("process_tests", "Reports of an agent that was stopped*", ""));
}

TEST_CASE("Without committing before sending, tests of failing commits fail") {
  CHECK_FALSE(passes("runtime_tests", "any messages in any order*", "commit"));
  CHECK_FALSE(passes("runtime_tests", "script *", "commit"));
}

TEST_CASE("Without the memory of answered requests, tests of lost answers fail") {
  CHECK_FALSE(passes("runtime_tests", "script *", "dedupe"));
  CHECK_FALSE(passes("process_tests", "A request whose reply was lost*", "dedupe"));
}

TEST_CASE("Without admission, tests of unknown connections fail") {
  CHECK_FALSE(passes("process_tests", "Without a key*", "admission"));
  CHECK_FALSE(passes("process_tests", "A revoked key is disconnected*", "admission"));
  CHECK_FALSE(passes("process_tests", "A connection above the limit*", "admission"));
}

TEST_CASE("Without checking who speaks, tests of stolen messages fail") {
  CHECK_FALSE(passes("process_tests", "A recorded registration*", "identity"));
  CHECK_FALSE(passes("process_tests", "Agents' names belong to the key*", "identity"));
  CHECK_FALSE(passes("runtime_tests", "script *", "identity"));
}

TEST_CASE("Without the writer lock, tests of concurrent shells fail") {
  CHECK_FALSE(passes("process_tests", "Commands without a controller wait for each other", "lock"));
}

TEST_CASE("Without guards that stop what they guard, tests of what commands leave behind fail") {
  const std::string test = "what a command leaves behind is stopped with it";
  become_subreaper();
  CHECK_FALSE(passes("agents_tests", test, "guard"));
  kill_orphans();
  CHECK(passes("agents_tests", test, ""));
}
