// Tasks that harm their agent, its memory or its disk. Agent and board go on.
#include <signal.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/memory.hpp"
#include "tests/support/recorded_dag.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr const char* settings = R"(
project: rogue
backoff: 10ms
restart: {intensity: 1000, period: 1s}
agents:
  - {name: w, count: 3, allow_run: true}
)";

}  // namespace

#if defined(__linux__)
TEST_CASE(
    "A task that kills its agent each time ends in quarantine with its history, and the others are done") {
  const TestBoard board;
  board.write("bidboard.yaml", settings);
  Process up = board.start({"up"});
  // The parent of the command is its guard, the guard's parent the agent.
  board.write_script("poison.sh",
                     "#!/bin/sh\nread -r _ _ _ agent _ < /proc/$PPID/stat\nkill -9 \"$agent\"\nsleep 1000\n");
  REQUIRE(board.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "3"));
  const std::string poison = board.must({"post", "poison", "--run", "exec ./poison.sh", "--attempts", "3"});
  const std::string after = board.must({"post", "after", "--run", "true", "--need", poison});
  for (int i = 0; i < 10; ++i) board.must({"post", "harmless", "--run", "true"});
  REQUIRE(board.task_becomes(poison, "quarantined"));
  CHECK(board.task_becomes(after, "skipped"));
  CHECK(board.becomes("SELECT count(*) FROM tasks WHERE title = 'harmless' AND state = 'done'", "10"));
  CHECK(board.value(fmt::format("SELECT count(*) FROM log WHERE kind = 'attempt_ended' AND task = '{}'",
                                poison)) == "3");
  const std::string history = board.must({"show", poison});
  INFO(history);
  CHECK(contains(history, "agent"));
  CHECK(contains(history, "is gone"));
  CHECK(contains(history, "attempt 3 of 3"));
  up.signal(SIGTERM);
  CHECK(up.wait() == 0);
}
#endif

TEST_CASE("A task that prints a gigabyte costs its agent little memory and the disk a bounded file") {
  const std::string bytes = soak_rounds() > 1 ? "1000000000" : "300000000";
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent = board.agent("a1", {"--allow-run"});
  const std::string task = board.must(
      {"post", "loud", "--run", fmt::format("head -c {} /dev/zero | tr '\\0' x; echo; echo end >&2", bytes)});
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(peak_kb(agent.pid()) < 100'000 + sanitizer_kb());
  CHECK(std::filesystem::file_size(board.path(fmt::format(".bidboard/output/{}.e1.log", task))) < (17 << 20));
}

TEST_CASE("An agent whose disk takes no more output goes on with its tasks") {
  const TestBoard board;
  const Process controller = board.serve();
  // No file may grow beyond 64 blocks of 512 bytes (1,024 in some shells): the log of the output cannot be
  // kept.
  ProcessOptions options = board.surroundings();
  const Process agent({"sh", "-c", "ulimit -f 64; exec \"$0\" agent --name a1 --allow-run", bidboard_binary},
                      options);
  board.await_agents(1);
  const std::string loud =
      board.must({"post", "loud", "--run", "head -c 1000000 /dev/zero | tr '\\0' x; echo; echo end"});
  REQUIRE(board.task_becomes(loud, "done"));
  const std::string fills =
      board.must({"post", "fills", "--run", "head -c 1000000 /dev/zero > full", "--attempts", "1"});
  REQUIRE(board.task_becomes(fills, "failed"));
  const std::string next = board.must({"post", "next", "--run", "echo fine"});
  REQUIRE(board.task_becomes(next, "done"));
  CHECK(board.value(fmt::format("SELECT result FROM tasks WHERE id = '{}'", next)) == "fine");
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'agent_left'") == "0");
}
