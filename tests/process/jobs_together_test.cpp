// Several jobs, and `up`, on one board: who serves it, and who goes on when that one ends.
#include <signal.h>

#include <optional>
#include <vector>

#include "blackboard/fmt.hpp"
#include "runtime/home/board_directory.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A job of one task, which ends when the file "go-NAME" is there.
void write_waiting_job(const TestBoard& board, const std::string& name, bool own_agents = true) {
  const std::string agents = own_agents ? fmt::format("agents: [{{name: {}, allow_run: true}}]\n", name) : "";
  board.write(
      name + ".yaml",
      fmt::format("{0}tasks: {{{1}: {{run: 'until [ -e go-{1} ]; do sleep 0.01; done'}}}}\n", agents, name));
}

void lets_end(const TestBoard& board, const std::string& name, Process& process) {
  board.write("go-" + name, "");
  const int code = process.wait();
  INFO(process.out() << process.err());
  CHECK(code == 0);
  CHECK_FALSE(contains(process.out() + process.err(), "starting it again"));
}

/// Jobs a and b, each at work on its task. `at_once`: else b begins when a is at work.
struct TwoJobs {
  TwoJobs(const TestBoard& board, bool at_once, bool own_agents = true) {
    for (const std::string name : {"a", "b"}) {
      write_waiting_job(board, name, own_agents);
      jobs.push_back(board.start({"run", name + ".yaml"}));
      if (!at_once) REQUIRE(board.becomes(at_work, std::to_string(jobs.size())));
    }
    REQUIRE(board.becomes(at_work, "2"));
  }
  /// Each goes on without the one that has ended, whichever served the board.
  void let_end(const TestBoard& board) {
    lets_end(board, "a", jobs[0]);
    lets_end(board, "b", jobs[1]);
  }
  static constexpr const char* at_work = "SELECT count(*) FROM tasks WHERE state = 'running'";
  std::vector<Process> jobs;
};

}  // namespace

TEST_CASE("Of two runs of one file at the same time, the second says that the first is under way") {
  const TestBoard board;
  board.write("job.yaml",
              "agents: [{name: w, allow_run: true}]\n"
              "tasks: {a: {run: 'echo begun >> begun; until [ -e go ]; do sleep 0.01; done'}}\n");
  board.write("other.yaml", "agents: [{name: v, allow_run: true}]\ntasks: {b: {run: sleep 0.01}}\n");
  Process first = board.start({"run", "job.yaml", "--fresh"});
  REQUIRE(eventually([&] { return std::filesystem::exists(board.path("begun")); }, patience));
  const Finished second = board.run({"run", "job.yaml", "--fresh"});
  CHECK(second.exit_code == 5);
  CHECK(contains(second.err, "another `bidboard run` executes this job on this board (process "));
  board.must({"run", "other.yaml"});
  board.write("go", "");
  CHECK(first.wait() == 0);
  CHECK(board.read("begun") == "begun\n");
  CHECK(board.rows("SELECT state FROM tasks ORDER BY id") == std::vector<std::string>{"done", "done"});
}

TEST_CASE(
    "Two jobs begun at the same time on a board without a controller share one, and the second keeps it") {
  const TestBoard board;
  TwoJobs(board, true).let_end(board);
}

TEST_CASE("A job that began while another one served the board serves it when that one has ended") {
  const TestBoard board;
  TwoJobs(board, false).let_end(board);
}

TEST_CASE("Two jobs without agents at the same time get agents each") {
  const TestBoard board;
  TwoJobs two(board, false, false);
  CHECK(board.value("SELECT count(*) FROM agents WHERE state = 'live'") == "8");
  two.let_end(board);
}

TEST_CASE(
    "A job's agent that serves the board finishes there what it has begun, unless ctrl-C gives it back") {
  const bool interrupted = GENERATE(false, true);
  const TestBoard board;
  board.must({"post", "of the board", "--run", "touch begun; until [ -e go-on ]; do sleep 0.01; done"});
  board.write("job.yaml",
              "agents: [{name: w, allow_run: true, serves: board, capacity: 2}]\n"
              "tasks: {own: {run: 'until [ -e begun ]; do sleep 0.01; done'}}\n");
  Process job = board.start({"run", "job.yaml"});
  REQUIRE(eventually([&] { return contains(job.out() + job.err(), "its agents finish t1"); }, patience));
  CHECK(board.value("SELECT state FROM tasks WHERE id = 't2'") == "done");
  if (interrupted)
    ::kill(job.pid(), SIGINT);
  else
    board.write("go-on", "");
  CHECK(job.wait() == 0);
  CHECK(board.value("SELECT state, attempts FROM tasks WHERE id = 't1'") ==
        (interrupted ? "ready|0" : "done|1"));
}

TEST_CASE("A job with agents of its own goes on after `down`, which says so") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: []\n");
  write_waiting_job(board, "a");
  Process up = board.start({"up"});
  REQUIRE(eventually([&] { return serving_writer(board.directory()).has_value(); }, patience));
  Process a = board.start({"run", "a.yaml"});
  REQUIRE(board.becomes("SELECT state FROM tasks", "running"));
  CHECK(contains(board.must({"down"}), fmt::format("`bidboard run` (process {}) works on it", a.pid())));
  CHECK(up.wait() == 0);
  lets_end(board, "a", a);
}

TEST_CASE("A job for the board's agents says that nobody serves the board, and goes on after `up`") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: [{name: w, allow_run: true}]\n");
  write_waiting_job(board, "a", false);
  std::optional<Process> up(board.start({"up"}));
  board.await_agents(1);
  Process a = board.start({"run", "a.yaml"});
  REQUIRE(board.becomes("SELECT state FROM tasks", "running"));
  board.must({"down"});
  CHECK(up->wait() == 0);
  REQUIRE(
      eventually([&] { return contains(a.err() + a.out(), "nobody serves the board any more"); }, patience));
  up.emplace(board.start({"up"}));
  lets_end(board, "a", a);
  board.must({"down"});
  CHECK(up->wait() == 0);
}
