// `run` and the board around it: whose tasks its agents do, what it says when nobody can do them, what it
// keeps.
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>
#include <tuple>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// Says whether somebody opens a file.
class Opened {
 public:
  explicit Opened(const std::string& path) : fd_(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)) {
    REQUIRE(::inotify_add_watch(fd_, path.c_str(), IN_OPEN) >= 0);
  }
  ~Opened() { ::close(fd_); }
  /// Within this time.
  bool within(int patience_ms) {
    pollfd polled{fd_, POLLIN, 0};
    if (::poll(&polled, 1, patience_ms) != 1) return false;
    std::array<char, 4096> events;
    while (::read(fd_, events.data(), events.size()) > 0) {
    }
    return true;
  }

 private:
  int fd_;
};

constexpr const char* waits_for =
    "waiting for agents, since no agent can do 1 task of this job:\n  'port': w needs cobol, has pascal\n";

}  // namespace

TEST_CASE("while nothing happens, nobody who waits for a board reads it") {
  const TestBoard board;
  board.write("job.yaml",
              "agents: [{name: w, allow_run: true}]\n"
              "tasks: {a: {run: 'echo begun; until [ -e go ]; do sleep 0.05; done'}}\n");
  Process job = board.start({"run", "job.yaml"});
  REQUIRE(board.task_becomes("t1", "running"));
  Opened file(board.directory().store());
  const auto start_and_look = [&](const std::vector<std::string>& words) {
    Process process = board.start(words);
    REQUIRE(file.within(30'000));
    return process;
  };
  Process waits = start_and_look({"wait", "t1"});
  Process log = start_and_look({"log", "--follow"});
  Process output = start_and_look({"output", "t1", "--follow"});
  // They look once more when they have connected to the feed, and that may take its time. None looks every
  // second or more often.
  CHECK(eventually([&] { return !file.within(1'200); }));
  board.write("go", "");
  CHECK(job.wait() == 0);
  CHECK(waits.wait() == 0);
  CHECK(output.wait() == 0);
}

TEST_CASE("the agents of a job do not do the board's other tasks") {
  const TestBoard board;
  board.must({"post", "Review the contract"});
  board.write("job.yaml", "agents: [{name: w, exec: cat}]\ntasks: {only: {title: Only this}}\n");
  board.must({"run", "job.yaml"});
  CHECK(board.rows("SELECT title, state, attempts FROM tasks ORDER BY id") ==
        std::vector<std::string>{"Review the contract|ready|0", "Only this|done|1"});

  board.write("job.yaml",
              "agents: [{name: w, exec: 'touch reviewed', serves: board, allow_run: true, capacity: 2}]\n"
              "tasks: {other: {run: 'until [ -e reviewed ]; do sleep 0.01; done'}}\n");
  board.must({"run", "job.yaml", "--time-limit", "60s"});
}

TEST_CASE("the board's agents leave a job to its own, unless it is shared") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process other = board.agent("other", {"--exec", "cat", "--speed", "100", "--skill", "review"});
  board.await_agents(1);
  const std::string tasks = "tasks: {a: {title: A}, b: {title: B}}\n";
  board.write("job.yaml", "agents: [{name: own, exec: cat}]\n" + tasks);
  board.must({"run", "job.yaml"});
  CHECK(board.value("SELECT count(*) FROM tasks WHERE holder = 'other'") == "0");
  board.write("shared.yaml",
              "shared: true\nagents: [{name: own, skills: [x], exec: cat}]\n"
              "tasks: {a: {title: A, skills: [x]}, b: {title: B, skills: [review]}}\n");
  board.must({"run", "shared.yaml"});
  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done'") == "4");
}

TEST_CASE("what a task of a job posts is done by the job's agents, and the job waits for it") {
  const TestBoard board;
  board.write("job.yaml",
              "agents: [{name: w, allow_run: true, capacity: 2}]\n"
              "tasks: {outer: {run: 'bidboard post inner --run \"echo inner > done\"'}}\n");
  board.must({"run", "job.yaml"});
  CHECK(board.read("done") == "inner\n");
  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done' AND workflow = 'w1'") == "2");
}

TEST_CASE("a job that nobody can do says so at once and posts nothing") {
  const TestBoard board;
  board.write("job.yaml", "tasks: {port: {title: Port it, skills: [cobol]}}\n");
  const Process controller = board.serve();
  const Finished alone = board.run({"run", "job.yaml"});
  CHECK(alone.exit_code == 6);
  CHECK(contains(alone.err, "no agent can do 1 task of this job:\n  'port': no agent is connected"));
  const Process agent = board.agent("w", {"--exec", "cat", "--skill", "pascal"});
  board.await_agents(1);
  const Finished finished = board.run({"run", "job.yaml"});
  CHECK(finished.exit_code == 6);
  CHECK(contains(finished.err, "'port': w needs cobol, has pascal"));
  CHECK(contains(finished.err, "bidboard run --wait"));
  CHECK(board.value("SELECT count(*) FROM tasks") == "0");

  Process waiting = board.start({"run", "--wait", "job.yaml"});
  REQUIRE(board.becomes("SELECT count(*) FROM tasks", "1"));
  CHECK(contains(board.must({"status"}), "1 task that no connected agent can do"));
  const Process cobol = board.agent("c", {"--exec", "cat", "--skill", "cobol"});
  CHECK(waiting.wait() == 0);
  CHECK(contains(waiting.out(), waits_for));
}

TEST_CASE("a job that waits for agents says for what, and why, while it waits and when it is given up") {
  const TestBoard board;
  board.write("job.yaml",
              "tasks: {easy: {title: Easy, skills: [pascal]}, port: {title: Port it, skills: [cobol]}}\n");
  const Process controller = board.serve();
  const Process agent = board.agent("w", {"--exec", "cat", "--skill", "pascal"});
  board.await_agents(1);
  Process waiting = board.start({"run", "--wait", "job.yaml"});
  CHECK(eventually([&] { return contains(waiting.out(), waits_for); }, patience));
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(waiting.running());
  waiting.signal(SIGINT);
  CHECK(waiting.wait() == 1);
  INFO(waiting.out());
  CHECK(contains(waiting.out(), std::string("\nstill ") + waits_for));
}

TEST_CASE("a job whose only agent is too dear, or whose cost formula refuses, waited without a word") {
  const TestBoard board;
  const auto refusal_of = [&](const std::string& agent, const std::string& task) {
    board.write("job.yaml", "agents: [{name: w, exec: cat, " + agent + "}]\ntasks: {port: {title: Port it, " +
                                task + "}}\n");
    const Finished run = board.run({"run", "job.yaml"});
    CHECK(run.exit_code == 6);
    return run.err;
  };
  CHECK(contains(refusal_of("cost: '0 - size'", "size: 1"),
                 "'port': w's cost formula: promises -1 seconds, which is negative"));
  CHECK(contains(refusal_of("price_per_second: 5", "size: 10, budget: 1"),
                 "'port': w asks 50, the budget is 1"));

  const Process controller = board.serve();
  const Process agent = board.agent("d", {"--exec", "cat", "--cost", "0 - size"});
  board.await_agents(1);
  board.must({"post", "port"});
  CHECK(contains(board.must({"explain", "t1"}), "no: cost formula: promises -1 seconds, which is negative"));
  CHECK(contains(board.must({"status"}), "1 task that no connected agent can do"));
}

TEST_CASE("an agent whose price was corrected by experience is judged by that price, as the auction does") {
  const TestBoard board;
  const Process controller = board.serve();
  // Asks 1 for a second, and takes 3: believed to ask a little more than that.
  const Process agent = board.agent(
      "w", {"--exec", "echo '{\"cost\": 3}'", "--price-per-second", "1", "--price-field", "cost"});
  board.await_agents(1);
  board.must({"post", "one", "--size", "1"});
  REQUIRE(board.task_becomes("t1", "done"));
  REQUIRE(board.value("SELECT price_ratio > 1 FROM calibration") == "1");
  board.must({"post", "cheap", "--size", "1", "--budget", "2"});
  board.must({"post", "dear", "--size", "1", "--budget", "100"});
  REQUIRE(board.task_becomes("t3", "done"));
  CHECK(contains(board.must({"explain", "t2"}), "no: asks "));
  CHECK(contains(board.must({"status"}), "1 task that no connected agent can do"));
}

TEST_CASE("a job whose agent has the name of one that is at work is refused by that name") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent = board.agent("w", {"--exec", "cat"});
  board.await_agents(1);
  board.write("job.yaml", "agents: [{name: w, exec: cat}]\ntasks: {one: {title: One}}\n");
  const Finished finished = board.run({"run", "job.yaml"});
  CHECK(finished.exit_code == 5);
  CHECK(contains(finished.err, "an agent called 'w' works on this board already"));
  CHECK(board.value("SELECT count(*) FROM tasks") == "0");
}

TEST_CASE("an agent that only executes commands leaves other tasks alone") {
  const TestBoard board;
  board.must({"post", "Review the pull request"});
  board.must({"post", "Count", "--run", "echo 1"});
  const Process controller = board.serve();
  const Process runner = board.agent("runner", {"--allow-run"});
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(board.value("SELECT state, attempts FROM tasks WHERE id = 't1'") == "ready|0");
  const Process ten = board.agent("w10", {"--allow-run"});
  const Process nine = board.agent("w9", {"--allow-run"});
  board.await_agents(3);
  const std::string status = board.must({"status"});
  CHECK(contains(status, "1 task that no connected agent can do"));
  CHECK(status.find("w9 ") < status.find("w10 "));  // by number, not by letter
}

TEST_CASE(
    "a failed run without a board prints what it has, keeps the temporary board, and says how it goes on") {
  const TestBoard board(false);
  board.write("job.yaml",
              "agents: [{name: w, allow_run: true}]\n"
              "tasks: {good: {run: echo the finding}, bad: {run: test -e go, attempts: 1}, last: {run: echo, "
              "needs: [bad]}}\n");
  const Finished finished = board.run({"run", "job.yaml"});
  INFO(finished.out << finished.err);
  CHECK(finished.exit_code == 1);
  CHECK(contains(finished.out, "the finding"));
  const std::string mark = "The board is kept: bidboard -C ";
  REQUIRE(contains(finished.err, mark));
  const std::size_t at = finished.err.find(mark) + mark.size();
  const std::string kept = finished.err.substr(at, finished.err.find(' ', at) - at);
  CHECK(contains(board.must({"-C", kept, "tasks"}), "good"));
  CHECK(contains(finished.err, "`bidboard -C " + kept + " run job.yaml` goes on"));
  board.write("go", "");
  CHECK(contains(board.must({"-C", kept, "run", "job.yaml"}), "1 of 3 tasks done already"));
  std::filesystem::remove_all(kept);
}

TEST_CASE("a fan-in of 10,001 is refused whole, by the name of its task") {
  const TestBoard board;
  std::string text = "agents: [{name: w, allow_run: true}]\ntasks:\n";
  std::string needs;
  for (int i = 0; i < 10'001; ++i) {
    text += fmt::format("  t{}: {{run: 'true'}}\n", i);
    needs += fmt::format("{}t{}", i == 0 ? "" : ",", i);
  }
  board.write("job.yaml", text + "  sum: {run: 'true', needs: [" + needs + "]}\n");
  const Finished finished = board.run({"run", "job.yaml"});
  CHECK(finished.exit_code == 2);
  CHECK(contains(finished.err, "task 'sum': it needs 10001 tasks, more than 10000"));
  CHECK(board.value("SELECT count(*) FROM tasks") == "0");
}

TEST_CASE("a batch whose last task the board refuses is refused whole, and the task is named") {
  const TestBoard board;
  const auto task = [](const std::string& title) {
    TaskSpec spec;
    spec.title = title;
    spec.run = "true";
    return spec;
  };
  TaskSpec needs_nobody = task("the last one");
  needs_nobody.needs = {{TaskId{99}, false}};
  TaskSpec child_of_nobody = task("the last one");
  child_of_nobody.parent = TaskId{99};
  TaskSpec with_key = task("the last one");
  with_key.key = "nightly";
  TaskSpec too_long = task("the last one");
  too_long.body = std::string((1 << 20) + 1, 'x');
  TaskSpec bad_label = task("the last one");
  bad_label.labels = {"two words"};
  std::optional<Process> controller;
  for (const bool served : {false, true}) {
    if (served) controller.emplace(board.serve());
    for (const auto& [last, code, why] :
         {std::tuple(needs_nobody, Errc::not_found, "needs t99, which does not exist"),
          {child_of_nobody, Errc::not_found, "t99, does not exist"},
          {with_key, Errc::conflict, "keys identify single tasks"},
          {too_long, Errc::invalid, "its body has more than 1 MB"},
          {bad_label, Errc::invalid, "'two words' is not a label"}}) {
      Post batch;
      batch.workflow = "nightly";
      batch.tasks = {task("first"), task("second"), last};
      const Result<Posted> posted = call_for<Posted>(board.directory(), std::move(batch));
      REQUIRE_FALSE(posted.has_value());
      INFO(posted.error().text);
      CHECK(posted.error().code == code);
      CHECK(contains(posted.error().text, "task 'the last one'"));
      CHECK(contains(posted.error().text, why));
      CHECK(board.value("SELECT count(*) FROM tasks") == "0");
      CHECK(board.value("SELECT count(*) FROM workflows") == "0");
    }
  }
}
