// A suite that cannot fail proves nothing: with a guarantee switched off, the tests that are there for it
// must fail, and pass when it is on.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "agents/guard/platform.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/process.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// Whether the named test of a test program passes with something switched off
/// (blackboard/checks/sabotage.hpp).
bool passes(const std::string& program, const std::string& test, const std::string& off) {
  const std::string binary = BIDBOARD_BINARY;
  ProcessOptions options;
  options.environment = {{"SABOTAGE_BIDBOARD", off}};
  if (!off.empty()) options.environment["TEST_PATIENCE"] = "10";  // what it waits for will not come
  Process process({fmt::format("{}/tests/{}", binary.substr(0, binary.rfind('/')), program), test}, options);
  const int exit_code = process.wait(std::chrono::seconds(300));
  INFO(process.out());
  REQUIRE(process.out().find("No test cases matched") == std::string::npos);
  return exit_code == 0;
}

/// What the processes that tests ran have left to us, and what that leaves in turn.
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
  CHECK_FALSE(passes("runtime_tests", "whatever is said in whatever order*", "fencing"));
  CHECK_FALSE(passes("process_tests", "What an agent reports that stood still*", "fencing"));
  CHECK(passes("process_tests", "What an agent reports that stood still*", ""));
}

TEST_CASE("Without commits before what is said of them, tests of failing commits fail") {
  CHECK_FALSE(passes("runtime_tests", "whatever is said in whatever order*", "commit"));
  CHECK_FALSE(passes("runtime_tests", "script *", "commit"));
}

TEST_CASE("Without the memory of answered requests, tests of lost answers fail") {
  CHECK_FALSE(passes("runtime_tests", "script *", "dedupe"));
  CHECK_FALSE(passes("process_tests", "What a controller did whose answer was lost*", "dedupe"));
}

TEST_CASE("With doors that let everybody in, tests of strangers fail") {
  CHECK_FALSE(passes("process_tests", "Without a key*", "admission"));
  CHECK_FALSE(passes("process_tests", "A key that is revoked is cut off*", "admission"));
  CHECK_FALSE(passes("process_tests", "One connection too many*", "admission"));
}

TEST_CASE("When everybody may speak for everybody, tests of stolen words fail") {
  CHECK_FALSE(passes("process_tests", "A registration that is recorded*", "identity"));
  CHECK_FALSE(passes("process_tests", "Agents' names belong to the key*", "identity"));
  CHECK_FALSE(passes("runtime_tests", "script *", "identity"));
}

TEST_CASE("Without the writer lock, tests of shells at once fail") {
  CHECK_FALSE(passes("process_tests", "Commands without a controller wait for each other", "lock"));
}

TEST_CASE("Without guards that stop what they guard, tests of what commands leave behind fail") {
  const std::string test = "what a command leaves behind is stopped with it";
  become_subreaper();
  CHECK_FALSE(passes("agents_tests", test, "guard"));
  kill_orphans();
  CHECK(passes("agents_tests", test, ""));
}
