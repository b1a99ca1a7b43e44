// An executive, managers and specialists as processes, while the managers are killed and stopped.
#include <signal.h>

#include <map>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("a job is completed while one manager is killed and the other is stopped") {
  const TestBoard board;
  const Process controller = board.serve();
  Config config;
  config.project = "tree";
  config.strategy = "hierarchy";
  config.bid_timeout = milliseconds(500);
  config.heartbeat = milliseconds(500);
  config.lease = seconds(20);  // the stopped one keeps its lease, so its silence must be noticed
  config.backoff = milliseconds(10);
  board.configure(config);
  std::map<std::string, Process> agents;
  const auto start = [&](const std::string& name, std::vector<std::string> words) {
    agents.insert_or_assign(name, board.agent(name, std::move(words)));
  };
  start("boss", {"--role", "executive"});
  for (const std::string side : {"left", "right"}) {
    start(side, {"--role", "manager", "--parent", "boss"});
    for (const std::string number : {"1", "2"}) start(side + number, {"--allow-run", "--parent", side});
  }
  board.await_agents(7);
  TaskSpec spec;
  spec.title = "a step";
  spec.run = "sleep 0.05; echo \"$BIDBOARD_TASK\"";
  const std::vector<TaskId> tasks = board.post(std::vector<TaskSpec>(60, spec));
  const auto done = [&] { return std::stoi(board.value("SELECT count(*) FROM tasks WHERE state = 'done'")); };
  const auto await_done = [&](int count) {
    REQUIRE(board.becomes(fmt::format("SELECT count(*) >= {} FROM tasks WHERE state = 'done'", count), "1"));
  };
  await_done(15);
  // Both levels delegated the tasks done so far.
  const std::string story = board.must({"explain", to_string(tasks[1])});
  INFO(story);
  CHECK(contains(story, "boss sent it to "));
  CHECK(contains(story, " gave it to "));

  agents.at("left").kill();
  await_done(std::min(done() + 10, 60));
  agents.at("right").signal(SIGSTOP);
  await_done(std::min(done() + 10, 60));
  // Only the executive leads the specialists.
  const std::string direct =
      "SELECT count(*) > 0 FROM log WHERE kind = 'task_awarded' AND "
      "body LIKE '%boss gave it to %'";
  CHECK(board.becomes(direct, "1"));
  start("left", {"--role", "manager", "--parent", "boss"});
  agents.at("right").signal(SIGCONT);
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'done'", "60"));

  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_finished'") == "60");
  CHECK(board.value("SELECT count(*) FROM tasks WHERE attempts != 1 OR result != id") == "0");
  CHECK(board.value("SELECT count(*) FROM tasks t JOIN agents a ON t.holder = a.name "
                    "WHERE a.role != 'specialist'") == "0");
  const Finished doctor = board.run({"doctor", "--deep"});
  INFO(doctor.out);
  CHECK(doctor.exit_code == 0);
}
