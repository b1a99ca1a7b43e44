// Ctrl-C and closed terminals: interrupting `up` or `run` costs no attempt, and work goes on later.
#include <signal.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/supervisor.hpp"
#include "tests/support/build.hpp"
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
    words.insert(words.begin(), {"setsid", bidboard_binary});
    return words;
  }
  Process process_;
};

std::size_t count_lines(const TestBoard& board, const std::string& line) {
  std::size_t count = 0;
  for (const std::string& each : lines_of(board.read("log"))) count += each == line;
  return count;
}

/// The processes that work in this folder, or worked in it until it was removed.
std::vector<std::string> processes_in(const std::string& folder) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::error_code none;  // it ended, or is not a process
    const std::string at = std::filesystem::read_symlink(entry.path() / "cwd", none).string();
    if (at == folder || at.starts_with(folder + "/") || at.starts_with(folder + " (deleted)"))
      found.push_back(entry.path().filename().string());
  }
  return found;
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

TEST_CASE("closing the terminal of a `run` uses up no attempt, leaves no agent live, and the job goes on") {
  const TestBoard board;
  board.write("job.yaml", job);
  {
    Foreground run(board, {"run", "job.yaml"});
    REQUIRE(board.task_becomes("t2", "running"));
    CHECK(run.interrupt(SIGHUP) == 1);
    INFO(run.process().err());
    CHECK(contains(run.process().err(), "`bidboard run job.yaml` goes on"));
  }
  CHECK(board.value("SELECT state, attempts FROM tasks WHERE id = 't2'") == "ready|0");
  CHECK(board.value("SELECT count(*) FROM agents WHERE state = 'live'") == "0");
  CHECK(eventually([&] { return processes_in(board.home()).empty(); }, patience));
  board.write("go", "");
  CHECK(contains(board.must({"run", "job.yaml"}), "going on with w1: 1 of 3 tasks done already"));
  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done'") == "3");
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

TEST_CASE("the work of an earlier run does not count in the figures of one that goes on") {
  const TestBoard board;
  const std::string before = "agents: [{name: w, allow_run: true}]\ntasks: {long: {run: sleep 3}, x: {run: ";
  board.write("job.yaml", before + "exit 1, attempts: 1, needs: [long]}}\n");
  CHECK(board.run({"run", "job.yaml"}).exit_code == 1);
  board.write("job.yaml", before + "exit 0, attempts: 1, needs: [long]}}\n");
  const auto summary = parse_json(board.must({"run", "job.yaml", "--json"}));
  REQUIRE(summary.has_value());
  const Value* data = summary->find("data");
  REQUIRE(data != nullptr);
  CHECK(data->find("done")->integer() == 2);
  const Value* busy = data->find("agents")->find("w")->find("busy");
  CHECK(busy->number() <= data->find("makespan")->number());
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

TEST_CASE(
    "when a served board is removed by git clean or rm, its agents and its running task stop and say so") {
  const std::vector<std::string> removal = GENERATE(std::vector<std::string>{"git", "clean", "-qfdx"},
                                                    std::vector<std::string>{"rm", "-rf", ".bidboard"},
                                                    std::vector<std::string>{"sh", "-c", "rm -rf \"$PWD\""});
  INFO(removal[0] << " " << removal[1]);
  const TestBoard board;
  ProcessOptions inside = board.surroundings();
  REQUIRE(run_program({"git", "init", "-q"}, inside).exit_code == 0);
  board.write("bidboard.yaml", "agents: [{name: w, allow_run: true}]\n");
  board.must({"post", "holds on", "--run", "echo $$ > pid; exec sleep 1000"});
  Process up = board.start({"up"});
  REQUIRE(eventually([&] { return board.read("pid").ends_with("\n"); }, patience));
  const pid_t task = std::stoi(board.read("pid"));
  REQUIRE(process_exists(task));
  REQUIRE(processes_in(board.home()).size() > 3);  // up, the controller, the agent, its guard and the task

  // What is written into the folder meanwhile may stay; the board is gone.
  const Finished removed = run_program(removal, inside);
  INFO(removed.out << removed.err);
  REQUIRE_FALSE(std::filesystem::exists(board.directory().store()));
  CHECK(up.wait() == 6);
  INFO(up.out() << up.err());
  CHECK(contains(up.err(), "removed"));
  CHECK(contains(up.err(), "everything that worked on it stops"));
  CHECK(eventually([&] { return processes_in(board.home()).empty(); }, patience));
  CHECK_FALSE(process_exists(task));
}

namespace {

/// Puts another board, as it was at some time, in the place of this one.
void replace(const TestBoard& board, const TestBoard& by) {
  std::filesystem::rename(board.directory().path, board.path("moved"));
  std::filesystem::copy(by.directory().path, board.directory().path,
                        std::filesystem::copy_options::recursive);
}

}  // namespace

TEST_CASE("Who waits for a board does not go on with another one that was put in its place") {
  const auto finish = [](const TestBoard& board, const std::string& task) {
    board.must({"post", "the work of " + board.path("")});
    board.must({"claim", task, "--as", "me"});
    board.must({"done", task, "--as", "me", "--result", "fine"});
  };
  const TestBoard other;
  finish(other, "t1");
  finish(other, "t2");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"wait", "t1", "t2"}, {"log", "--follow"}}) {
    const TestBoard board;
    finish(board, "t1");
    board.must({"post", "still open"});
    Process waiting = board.start(words);
    REQUIRE(eventually([&] { return !waiting.out().empty(); }, patience));  // it has looked
    replace(board, other);
    CHECK(waiting.wait() == 6);
    INFO(words[0] << ": " << waiting.out() << waiting.err());
    CHECK(contains(waiting.err(), "was moved or removed"));
    CHECK_FALSE(contains(waiting.out(), "t2 is done"));
    CHECK_FALSE(contains(waiting.out(), other.path("")));
  }
}

TEST_CASE("An interrupted wait does not look like one for a task that failed") {
  const TestBoard board;
  board.must({"post", "never done"});
  board.must({"post", "cancelled"});
  board.must({"cancel", "t2"});
  Process waiting = board.start({"wait", "t2", "t1"});
  REQUIRE(eventually([&] { return contains(waiting.out(), "t2"); }, patience));
  ::kill(waiting.pid(), SIGINT);
  CHECK(waiting.wait() == 128 + SIGINT);
}

TEST_CASE("Waiting for no time looks once") {
  const TestBoard board;
  board.must({"post", "never done"});
  const Finished waited = board.run({"wait", "t1", "--timeout", "0"});
  CHECK(waited.exit_code == 7);
  CHECK(contains(waited.err, "not ended within 0"));
}

TEST_CASE("A job whose board is replaced stops, and nothing is executed on the other board") {
  const TestBoard other;
  other.must({"post", "foreign", "--run", "echo foreign > '" + other.path("foreign") + "'"});
  const TestBoard board;
  board.write("job.yaml",
              "agents: [{name: w, allow_run: true, serves: board}]\n"
              "tasks: {a: {run: \"touch begun; sleep 1000\"}}\n");
  Process run = board.start({"run", "job.yaml"});
  REQUIRE(eventually([&] { return std::filesystem::exists(board.path("begun")); }, patience));
  replace(board, other);
  CHECK(run.wait() == 6);
  INFO(run.out() << run.err());
  CHECK(contains(run.err(), "was moved or removed"));
  CHECK_FALSE(contains(run.err(), "starting it again"));
  CHECK_FALSE(std::filesystem::exists(other.path("foreign")));
  CHECK(board.value("SELECT state FROM tasks") == "ready");
}

TEST_CASE("When the store alone is removed, everything that works on the board stops and says so") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: [{name: w, allow_run: true}]\n");
  Process up = board.start({"up"});
  board.await_agents(1);
  const pid_t agent = std::stoi(board.value("SELECT pid FROM agents"));
  std::filesystem::remove(board.directory().store());
  CHECK(up.wait() == 6);
  CHECK(contains(up.err(), "data.mdb was removed or replaced"));
  CHECK(eventually([&] { return !process_exists(agent); }, patience));
}
