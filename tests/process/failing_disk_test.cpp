// The disk fails, or the machine stops, at each durable step of a command or a controller in turn
// (tests/support/failing_disk): afterwards what was acknowledged is there, the rest is complete or absent,
// and the board passes its checks.
#include <signal.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/failing_disk.hpp"
#include "tests/support/recorded_dag.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr int killed = 128 + SIGKILL;
/// Each failing write costs the controller a pause of a second: every other step here, all in the soak.
int stride() { return soak_rounds() > 1 ? 1 : 2; }
/// More steps than any command here takes: a loop that gets this far misses the failure.
constexpr int steps_max = 1'000;
constexpr const char* state_of_tasks = "SELECT id, title, state, epoch, holder, reason, result FROM tasks";

ProcessOptions on_failing_disk(const TestBoard& board, const std::string& plan) {
  ProcessOptions options = board.surroundings();
  options.environment.merge(testing::on_failing_disk("FAILING_DISK", plan));
  return options;
}

std::string plan(const std::string& what, int step) { return fmt::format("{} {}", what, step); }

/// A copy of the board's folder, to be restored any number of times.
class Kept {
 public:
  explicit Kept(const TestBoard& board) : board_(board) { copy(board.directory().path, copy_of()); }
  void put_back() const { copy(copy_of(), board_.directory().path); }

 private:
  std::string copy_of() const { return board_.path("kept"); }
  static void copy(const std::string& from, const std::string& to) {
    std::filesystem::remove_all(to);
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  }
  const TestBoard& board_;
};

/// Runs one command that is killed at its first step, its second, and so on until it gets through. It leaves
/// the board as before or as after; the command, repeated, completes it.
void cut_off_everywhere(const TestBoard& board, const std::vector<std::string>& words) {
  INFO("bidboard " << words.front());
  const Kept kept(board);
  const std::vector<std::string> before = board.rows(state_of_tasks);
  board.must(words);
  const std::vector<std::string> after = board.rows(state_of_tasks);
  for (const std::string what : {"die", "lose"}) {
    int exit_code = killed;
    int step = 0;
    while (exit_code == killed && ++step < steps_max) {
      kept.put_back();
      INFO(what << " at step " << step);
      exit_code = board.run(words, on_failing_disk(board, plan(what, step))).exit_code;
      REQUIRE((exit_code == killed || exit_code == 0));
      const std::vector<std::string> found = board.rows(state_of_tasks);
      if (exit_code == 0 || found != before) CHECK(found == after);
      check_whole(board.directory());
      if (found == before) board.must(words);
      CHECK(board.rows(state_of_tasks) == after);
    }
    CHECK(step > 3);
  }
}

TaskSpec titled(const std::string& title) {
  TaskSpec spec;
  spec.title = title;
  spec.size = one / 1'000;
  return spec;
}

/// Repeats a request until it is not answered `storage`. Returns how often it was.
int insist(const TestBoard& board, const RequestBody& body, const std::string& as = {}) {
  CallOptions options;
  options.as = as;
  options.patience = seconds(60);
  int failed = 0;
  while (true) {
    const Result<ReplyBody> reply = call(board.directory(), body, options);
    if (reply) return failed;
    INFO(reply.error().text);
    REQUIRE(reply.error().code == Errc::storage);
    REQUIRE(++failed < 10);
    CHECK(board.value("SELECT count(*) > 0 FROM agents") == "1");  // reading still works
  }
}

/// A person's commands on a board on which one agent works, with `between` run between the steps.
template <class Between>
int work_on(const TestBoard& board, Between&& between) {
  int failed = 0;
  const auto done = [&](const RequestBody& body, const std::string& as = {}) {
    failed += insist(board, body, as);
    between();
  };
  Post for_people;
  for (const char* title : {"finished", "cancelled", "left"}) {
    for_people.tasks.push_back(titled(title));
    for_people.tasks.back().skills = {{"person", one}};
  }
  done(for_people);
  done(Claim{{1}, {{"person", one}}}, "ann");
  Post for_agents;
  for_agents.tasks = {titled("by the agent"), titled("after it")};
  for_agents.batch_needs = {{1, 0, false}};
  done(for_agents);
  done(Finish{{1}, {}, true, std::string(5'000, 'r'), 0, 0}, "ann");
  done(Direct{Direction::cancel, {2}, "not needed"});
  REQUIRE(eventually(
      [&] {
        between();
        return board.value("SELECT count(*) FROM tasks WHERE state = 'done'") == "3";
      },
      patience));
  return failed;
}

void check_work(const TestBoard& board) {
  CHECK(board.rows("SELECT id, title, state, epoch FROM tasks") ==
        std::vector<std::string>{"t1|finished|done|1", "t2|cancelled|cancelled|0", "t3|left|ready|0",
                                 "t4|by the agent|done|1", "t5|after it|done|1"});
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_finished'") == "3");
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_posted'") == "5");
  CHECK(board.value("SELECT length(result) FROM tasks WHERE id = 't1'") == "5000");
  check_whole(board.directory());
}

/// A board with an agent that waits for its controller, to be restored any number of times.
struct Workplace {
  Workplace() {
    const Process controller = board.serve();
    const Process agent = board.agent("a1", {"--simulate"});
    board.await_agents(1);
  }
  TestBoard board;
};

bool serves(const TestBoard& board, Process& controller) {
  REQUIRE(eventually(
      [&] {
        const auto writer = serving_writer(board.directory());
        return !controller.running() || (writer && writer->pid == controller.pid());
      },
      patience));
  return controller.running();
}

}  // namespace

TEST_CASE("A command killed at any step has done all or nothing, and can be repeated") {
  const TestBoard board;
  cut_off_everywhere(board, {"post", "first", "--key", "k"});
  cut_off_everywhere(board, {"post", "second", "--need", "t1"});
  cut_off_everywhere(board, {"claim", "t1", "--as", "ann"});
  cut_off_everywhere(
      board, {"done", "t1", "--as", "ann", "--result", fmt::format("\"{}\"", std::string(3'000, 'r'))});
  cut_off_everywhere(board, {"cancel", "t2", "--reason", "not needed"});
  cut_off_everywhere(board, {"compact"});
}

TEST_CASE("An init killed at any step is completed by the next one") {
  for (const std::string what : {"die", "lose"}) {
    int exit_code = killed;
    int step = 0;
    while (exit_code == killed && ++step < steps_max) {
      const TestBoard board(false);
      INFO(what << " at step " << step);
      exit_code = board.run({"init"}, on_failing_disk(board, plan(what, step))).exit_code;
      REQUIRE((exit_code == killed || exit_code == 0));
      board.must({"init"});
      CHECK(board.must({"post", "first"}) == "t1");
      CHECK(board.value("SELECT project FROM tasks") == "board");
      check_whole(board.directory());
    }
    CHECK(step > 10);
  }
}

TEST_CASE("A controller killed at any step, and its successor too, lose and repeat nothing") {
  const Workplace place;
  const TestBoard& board = place.board;
  const Kept kept(board);
  bool survived = false;
  int step = 0;
  while (!survived && ++step < steps_max) {
    kept.put_back();
    const std::string what = step % 2 == 0 ? "die" : "lose";
    INFO(what << " at step " << step);
    std::vector<std::string> plans{plan(what, step), plan(what, 1 + step % 12)};
    Process controller = board.start({"controller"}, on_failing_disk(board, plans[0]));
    survived = serves(board, controller);
    std::size_t next = 1;
    const Process agent = board.agent("a1", {"--simulate"});
    work_on(board, [&] {
      if (controller.running()) return;
      survived = false;
      controller = next < plans.size() ? board.start({"controller"}, on_failing_disk(board, plans[next++]))
                                       : board.start({"controller"});
      static_cast<void>(serves(board, controller));
    });
    survived = survived && controller.running();
    controller.kill();
    check_work(board);
  }
  CHECK(step > 30);
}

TEST_CASE(
    "A controller whose disk fails reports it, goes on, and has lost nothing when the disk works again") {
  const Workplace place;
  const TestBoard& board = place.board;
  const Kept kept(board);
  bool reached = true;
  int refused = 0;
  int step = 1;
  for (int round = 0; reached && step < steps_max; ++round, step += stride()) {
    kept.put_back();
    const std::string what = round % 2 == 0 ? "EIO" : "ENOSPC";
    const std::string said = round % 2 == 0 ? "Input/output error" : "No space left on device";
    INFO(what << " at step " << step);
    Process controller = board.start({"controller"}, on_failing_disk(board, plan(what, step) + " 2"));
    const bool began = serves(board, controller);
    reached = !began;
    if (!began) {
      CHECK(contains(controller.err(), said));
      controller = board.serve();
    }
    const Process agent = board.agent("a1", {"--simulate"});
    refused += work_on(board, [] {});
    REQUIRE(controller.running());
    reached = reached || contains(controller.err(), said);
    controller.signal(SIGTERM);
    CHECK(controller.wait() == 0);
    check_work(board);
  }
  CHECK(refused > 3);
  CHECK(step > 30);
}

TEST_CASE("A controller killed at any step of a compaction leaves a complete board") {
  const Workplace place;
  const TestBoard& board = place.board;
  board.post(std::vector<TaskSpec>(20, titled("waits")));
  const Kept kept(board);
  const std::vector<std::string> tasks = board.rows(state_of_tasks);
  bool died = true;
  int step = 0;
  while (died && ++step < steps_max) {
    kept.put_back();
    const std::string what = step % 2 == 0 ? "die" : "lose";
    INFO(what << " at step " << step);
    Process controller = board.start({"controller"}, on_failing_disk(board, plan(what, step)));
    const bool began = serves(board, controller);
    const Finished compact = board.run({"compact"});
    died = !controller.running();
    controller.kill();
    if (began && !died) CHECK(compact.exit_code == 0);
    CHECK(board.rows(state_of_tasks) == tasks);
    check_whole(board.directory());
    board.must({"compact"});
    check_whole(board.directory());
  }
  CHECK(step > 20);
}
