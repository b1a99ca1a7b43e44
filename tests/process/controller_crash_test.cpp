// The controller is killed and restarted during work, while agents go on or die.
#include <signal.h>
#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

std::size_t count_of(const TestBoard& board, const std::string& file) {
  return lines_of(board.read(file)).size();
}

/// A task that records its process id and then runs until the file "go" exists.
std::string post_waiting_task(const TestBoard& board) {
  board.write_script(
      "wait.sh",
      "#!/bin/sh\necho $$ >> pids\nuntil [ -e go ]; do sleep 0.01; done\necho \"$BIDBOARD_AGENT\"\n");
  return board.must({"post", "waits", "--run", "./wait.sh"});
}

/// The processes that started the waiting task, in order.
pid_t nth_child(const TestBoard& board, std::size_t number) {
  REQUIRE(eventually([&] { return count_of(board, "pids") >= number && board.read("pids").ends_with('\n'); },
                     patience));
  return static_cast<pid_t>(std::stol(lines_of(board.read("pids"))[number - 1]));
}

bool goes_away(pid_t pid) {
  return eventually([&] { return !process_exists(pid); }, patience);
}

std::string quoted(const std::string& text) { return fmt::format("'{}'", text); }

}  // namespace

TEST_CASE(
    "A controller is killed repeatedly during a job: agents stay, each task is done once, the job ends") {
  constexpr std::size_t tasks = 150;
  constexpr std::size_t kills = 6;
  const TestBoard board;
  board.write_script("step.sh", "#!/bin/sh\necho \"$1\" >> begun\nsleep 0.02\necho \"$1\" >> ended\n");
  std::string job = "name: long\ntasks:\n";
  for (std::size_t i = 0; i < tasks; ++i)
    job += fmt::format("  n{}: {{run: ./step.sh n{}{}", i, i,
                       (i < 4 ? "}\n" : fmt::format(", needs: [n{}]}}\n", i - 4)));
  board.write("job.yaml", job);
  Process controller = board.serve();
  const Process first = board.agent("a1", {"--allow-run"});
  const Process second = board.agent("a2", {"--allow-run", "--capacity", "2"});
  board.await_agents(2);
  const std::string pids = "SELECT group_concat(pid) FROM agents WHERE state = 'live'";
  const std::string before = board.value(pids);

  Process run = board.start({"run", "job.yaml", "--json"});
  for (std::size_t i = 1; i <= kills; ++i) {
    REQUIRE(eventually([&] { return !run.running() || count_of(board, "ended") >= i * tasks / (kills + 2); },
                       patience));
    REQUIRE(run.running());
    controller.kill();
    controller = board.serve();
  }
  const int exit_code = run.wait();
  INFO(run.out() << run.err() << controller.err());
  REQUIRE(exit_code == 0);

  const std::string all = std::to_string(tasks);
  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done' AND epoch = 1") == all);
  CHECK(board.value("SELECT count(*), count(DISTINCT task) FROM log WHERE kind = 'task_awarded'") ==
        fmt::format("{}|{}", all, all));
  CHECK(board.value("SELECT count(*), count(DISTINCT task) FROM log WHERE kind = 'task_finished'") ==
        fmt::format("{}|{}", all, all));
  CHECK(count_of(board, "begun") == tasks);
  CHECK(count_of(board, "ended") == tasks);
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'agent_left'") == "0");
  CHECK(board.value(pids) == before);
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'term_started'") == std::to_string(kills + 1));
}

TEST_CASE("An agent that finishes while no controller is there reports to the next one") {
  const TestBoard board;
  Process controller = board.serve();
  const Process agent = board.agent("a1", {"--allow-run"});
  board.await_agents(1);
  const std::string task = post_waiting_task(board);
  const pid_t child = nth_child(board, 1);
  REQUIRE(board.task_becomes(task, "running"));
  controller.kill();
  board.write("go", "");
  REQUIRE(goes_away(child));
  CHECK(board.value("SELECT state FROM tasks") == "running");
  controller = board.serve();
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value("SELECT result, epoch FROM tasks") == "a1|1");
}

TEST_CASE("Tasks of an agent that died while no controller ran are offered again") {
  const TestBoard board;
  Process controller = board.serve();
  Process doomed = board.agent("a1", {"--allow-run"});
  board.await_agents(1);
  const std::string task = post_waiting_task(board);
  const pid_t child = nth_child(board, 1);
  const Process heir = board.agent("a2", {"--allow-run"});
  board.await_agents(2);
  controller.kill();
  doomed.kill();
  REQUIRE(goes_away(child));
  controller = board.serve();
  nth_child(board, 2);
  board.write("go", "");
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value("SELECT result, epoch FROM tasks") == "a2|2");
}

TEST_CASE("A killed agent's task goes to another after its death is known, and none of its processes go on") {
  const TestBoard board;
  const Process controller = board.serve();
  Process doomed = board.agent("a1", {"--allow-run"});
  board.await_agents(1);
  const std::string task = post_waiting_task(board);
  const pid_t child = nth_child(board, 1);
  const Process heir = board.agent("a2", {"--allow-run"});
  board.await_agents(2);
  doomed.kill();
  REQUIRE(goes_away(child));
  const pid_t next_child = nth_child(board, 2);
  CHECK(process_exists(next_child));
  board.write("go", "");
  REQUIRE(board.task_becomes(task, "done"));
  const std::int64_t left = board.seq_of("kind = 'agent_left'");
  const std::int64_t ended = board.seq_of("kind = 'attempt_ended'");
  const std::int64_t awarded = board.seq_of(fmt::format("kind = 'task_awarded' AND seq > {}", left));
  CHECK(left > 0);
  CHECK(left < ended);
  CHECK(ended < awarded);
  CHECK(board.value("SELECT result, epoch FROM tasks") == "a2|2");
}

TEST_CASE("The name of a killed agent can be taken at once, every time") {
  const TestBoard board;
  const Process controller = board.serve();
  Process agent = board.agent("phoenix", {"--simulate"});
  for (int i = 0; i < 20; ++i) {
    const std::string live = "SELECT pid FROM agents WHERE name = 'phoenix' AND state = 'live'";
    INFO("life " << i + 1 << ": " << agent.err());
    REQUIRE(board.becomes(live, std::to_string(agent.pid())));
    agent.kill();
    agent = board.agent("phoenix", {"--simulate"});
  }
}

TEST_CASE("A second agent with the name of a live one is refused as a conflict") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process first = board.agent("twin", {"--simulate"});
  board.await_agents(1);
  const Finished second = board.run({"agent", "--name", "twin", "--simulate"});
  CHECK(second.exit_code == 5);
  CHECK(contains(second.err, std::to_string(first.pid())));
}

TEST_CASE(
    "A controller stops on TERM with exit code 0, leaves no socket, and the board can be used without it") {
  const TestBoard board;
  Process controller = board.serve();
  const std::optional<Writer> writer = serving_writer(board.directory());
  REQUIRE(writer);
  const std::filesystem::path socket = writer->endpoint.substr(std::string("ipc://").size());
  CHECK(std::filesystem::exists(socket));
  controller.signal(SIGTERM);
  CHECK(controller.wait() == 0);
  CHECK_FALSE(std::filesystem::exists(socket.parent_path()));
  CHECK(board.must({"post", "later"}) == "t1");
}

TEST_CASE("A second controller is refused as a conflict and names the first one's process") {
  const TestBoard board;
  Process controller = board.serve();
  const Finished second = board.run({"controller"});
  CHECK(second.exit_code == 5);
  CHECK(contains(second.err, fmt::format("process {}", controller.pid())));
  CHECK(controller.running());
  CHECK(board.must({"post", "still served"}) == "t1");
}

TEST_CASE("The board of a killed controller can be used at once, without one") {
  const TestBoard board;
  Process controller = board.serve();
  controller.kill();
  CHECK(board.must({"post", "no controller"}) == "t1");
  CHECK(contains(board.must({"status"}), "none"));
}

TEST_CASE(
    "A killed controller's entry in the lock file blocks no successor, even while tools read it constantly") {
  const TestBoard board;
  std::atomic<bool> stop = false;
  std::thread looks([&, directory = board.directory()] {
    while (!stop) static_cast<void>(serving_writer(directory));
  });
  int served = 0;
  for (int i = 0; i < 10; ++i) {
    Process controller = board.start({"controller"});
    served += eventually(
                  [&] {
                    const auto writer = serving_writer(board.directory());
                    return !controller.running() || (writer && writer->pid == controller.pid());
                  },
                  patience) &&
              controller.running();
    controller.kill();
  }
  stop = true;
  looks.join();
  CHECK(served == 10);
}

TEST_CASE("Commands without a controller wait for each other") {
  const TestBoard board;
  std::vector<Process> posts;
  for (int i = 0; i < 20; ++i) posts.push_back(board.start({"post", "one of many"}));
  for (Process& post : posts) {
    const int exit_code = post.wait();
    INFO(post.err());
    CHECK(exit_code == 0);
  }
  CHECK(board.value("SELECT count(*), max(cast(substr(id, 2) AS integer)) FROM tasks") == "20|20");
}

TEST_CASE("An agent stopped by TERM leaves nothing running, and its task uses up no attempt") {
  const TestBoard board;
  const Process controller = board.serve();
  Process agent = board.agent("a1", {"--allow-run"});
  board.await_agents(1);
  const std::string task = post_waiting_task(board);
  const pid_t child = nth_child(board, 1);
  agent.signal(SIGTERM);
  CHECK(agent.wait() == 0);
  CHECK_FALSE(process_exists(child));
  CHECK(board.task_becomes(task, "ready"));
  CHECK(board.value("SELECT attempts, epoch FROM tasks") == "0|1");
  CHECK(board.value("SELECT state FROM agents") == "gone");
}

TEST_CASE(
    "An agent that sleeps past its lease: its task goes to another, its late result is kept beside the "
    "accepted one") {
  const TestBoard board;
  board.write("bidboard.yaml", "lease: 1s\nheartbeat: 300ms\n");
  Process up = board.start({"up"});
  REQUIRE(eventually([&] { return serving_writer(board.directory()).has_value(); }, patience));
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'config_set'", "2"));
  Process sleeper = board.agent("sleeper", {"--allow-run"});
  board.await_agents(1);
  const std::string task = post_waiting_task(board);
  const pid_t child = nth_child(board, 1);
  const Process heir = board.agent("heir", {"--allow-run"});
  board.await_agents(2);

  sleeper.signal(SIGSTOP);
  const std::string holder = "SELECT a.name, t.epoch FROM tasks t JOIN agents a ON a.name = t.holder";
  REQUIRE(board.becomes(holder, "heir|2"));
  // The sleeper's command still runs and keeps the heir's waiting: two of them never run at once.
  CHECK(process_exists(child));
  CHECK(count_of(board, "pids") == 1);
  board.write("go", "");
  REQUIRE(board.task_becomes(task, "done"));
  CHECK(board.value("SELECT result, epoch FROM tasks") == "heir|2");

  sleeper.signal(SIGCONT);
  REQUIRE(board.becomes("SELECT count(*) FROM discoveries", "1"));
  CHECK(board.value("SELECT kind, task, epoch, body FROM discoveries") ==
        fmt::format("late_result|{}|1|sleeper", task));
  CHECK(board.value("SELECT result, epoch FROM tasks") == "heir|2");
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_finished'") == "1");
  board.await_agents(2);  // it is back
  CHECK(board.value("SELECT count(*) FROM agents WHERE name = " + quoted("sleeper")) == "1");
}
