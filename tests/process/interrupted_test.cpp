// Ctrl-C and closed terminals: interrupting `up` or `run` costs no attempt, and work goes on later.
#include <signal.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/supervisor.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A command in a process group of its own, as a terminal's foreground job is.
class Foreground {
 public:
  Foreground(const TestBoard& board, std::vector<std::string> words)
      : process_(in_own_group(std::move(words)), board.surroundings()) {}
  /// What a terminal does: every process of the group gets the signal.
  int interrupt(int signal) {
    ::kill(-process_.pid(), signal);
    return process_.wait();
  }
  const Process& process() const { return process_; }

 private:
  static std::vector<std::string> in_own_group(std::vector<std::string> words) {
    words.insert(words.begin(), {"setsid", BIDBOARD_BINARY});
    return words;
  }
  Process process_;
};

std::size_t count_lines(const TestBoard& board, const std::string& line) {
  std::size_t count = 0;
  for (const std::string& each : lines_of(board.read("log"))) count += each == line;
  return count;
}

constexpr const char* job = R"(
agents: [{name: w, allow_run: true}]
tasks:
  first: {run: "echo first >> log"}
  second: {run: "echo second >> log; until [ -e go ]; do sleep 0.01; done", needs: [first], attempts: 1}
  third: {run: "echo third >> log", needs: [second]}
)";

}  // namespace

TEST_CASE("interrupting `up` thrice with ctrl-C, or by closing its terminal, uses up no attempt") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: [{name: w, allow_run: true}]\n");
  board.must({"post", "holds on", "--run", "sleep 1000", "--attempts", "1"});
  for (const int signal : {SIGINT, SIGINT, SIGINT, SIGHUP}) {
    Foreground up(board, {"up"});
    INFO("signal " << signal);
    REQUIRE(board.task_becomes("t1", "running"));
    CHECK(up.interrupt(signal) == 0);
    INFO(up.process().err());
    CHECK(board.value("SELECT state, attempts FROM tasks") == "ready|0");
    CHECK(board.value("SELECT count(*) FROM agents WHERE state = 'live'") == "0");
  }
}

TEST_CASE("a process that is told to stop right after its start does not miss the signal") {
  const TestBoard board(false);
  const StopSignal stop;  // a new process has its handler until its own program runs
  for (int i = 0; i < 20; ++i) {
    Supervisor supervisor({}, [](const std::string&) {});
    REQUIRE(supervisor.start(
        {"sleeper", {"sh", "-c", "sleep 0.2; echo >> " + board.path("log")}, false, {}, {}}));
    supervisor.stop_all(seconds(60));
  }
  CHECK(board.read("log").empty());
}

TEST_CASE("a job that was interrupted goes on where it stopped when it is run again") {
  const TestBoard board;
  board.write("job.yaml", job);
  {
    Foreground run(board, {"run", "job.yaml"});
    REQUIRE(eventually([&] { return count_lines(board, "second") == 1; }, patience));
    CHECK(run.interrupt(SIGINT) == 1);
    CHECK(contains(run.process().err(), "1 of 3 tasks done"));
    CHECK(contains(run.process().err(), "`bidboard run job.yaml` goes on"));
    CHECK(contains(run.process().err(), "`bidboard run --fresh job.yaml`"));
    CHECK(contains(run.process().out(), "third is blocked\n"));  // and not "blocked: ", without a reason
  }
  board.write("go", "");
  const std::string told = board.must({"run", "job.yaml"});
  CHECK(contains(told, "going on with w1: 1 of 3 tasks done already"));
  CHECK(count_lines(board, "first") == 1);
  CHECK(count_lines(board, "second") == 2);
  CHECK(count_lines(board, "third") == 1);
  CHECK(board.value("SELECT count(*) FROM tasks") == "3");

  // Nothing is left of it: the next run is a new one.
  board.must({"run", "job.yaml"});
  CHECK(board.value("SELECT count(*) FROM tasks") == "6");
}

TEST_CASE("a job that goes on names what its file changed, and repeats only that and what needs it") {
  const TestBoard board;
  board.write("job.yaml", R"(
agents: [{name: w, allow_run: true}]
tasks:
  first: {run: "echo first >> log"}
  second: {run: "exit 1", needs: [first], attempts: 1}
  third: {run: "echo third >> log", needs: [second]}
)");
  CHECK(board.run({"run", "job.yaml"}).exit_code == 1);
  CHECK(board.value("SELECT state FROM tasks WHERE name = 'third'") == "skipped");
  board.write("go", "");
  board.write("job.yaml", job);
  CHECK(contains(board.must({"run", "job.yaml"}), "changed: second"));
  CHECK(count_lines(board, "first") == 1);
  CHECK(count_lines(board, "third") == 1);
}

TEST_CASE("--fresh cancels what is left of the earlier run before it begins") {
  const TestBoard board;
  board.write("job.yaml", job);
  {
    Foreground run(board, {"run", "job.yaml"});
    REQUIRE(eventually([&] { return count_lines(board, "second") == 1; }, patience));
    run.interrupt(SIGINT);
  }
  board.write("go", "");
  board.must({"run", "--fresh", "job.yaml"});
  CHECK(count_lines(board, "first") == 2);
  CHECK(board.rows("SELECT state, count(*) FROM tasks GROUP BY state ORDER BY state") ==
        std::vector<std::string>{"cancelled|2", "done|4"});
}

TEST_CASE(
    "when a board's folder is moved away while it is served, everything that works on it stops and says so") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: [{name: w, allow_run: true}]\n");
  Process up = board.start({"up"});
  board.await_agents(1);
  const pid_t agent = std::stoi(board.value("SELECT pid FROM agents"));
  const std::optional<Writer> controller = serving_writer(board.directory());
  REQUIRE(controller);
  std::filesystem::rename(board.directory().path, board.path("moved"));
  CHECK(up.wait() == 6);
  CHECK(contains(up.err(), "was moved or removed"));
  CHECK(eventually([&] { return !process_exists(agent); }, patience));
  CHECK(eventually([&] { return !process_exists(static_cast<pid_t>(controller->pid)); }, patience));
}
