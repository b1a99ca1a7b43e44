// The board is compacted and copied while agents work on it.
#include <filesystem>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recorded_dag.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr int agents = 4;

std::vector<TaskSpec> small_tasks(std::size_t count) {
  TaskSpec spec;
  spec.title = "small";
  spec.size = one / 100;
  return std::vector<TaskSpec>(count, spec);
}

std::string done_once(std::size_t tasks) { return fmt::format("{}|{}", tasks, tasks); }
constexpr const char* count_done = "SELECT count(*), sum(epoch = 1) FROM tasks WHERE state = 'done'";

}  // namespace

TEST_CASE("A board is compacted repeatedly while agents work, without effect on them") {
  std::size_t tasks = 600 * soak_rounds();
  const TestBoard board;
  const Process controller = board.serve();
  std::vector<Process> working;
  for (int i = 0; i < agents; ++i) working.push_back(board.agent(fmt::format("a{}", i), {"--simulate"}));
  board.await_agents(agents);
  board.post(small_tasks(tasks));
  int compacted = 0;
  std::int64_t base = 0;
  while (compacted < 3 || board.value(count_done) != done_once(tasks)) {
    if (board.value(count_done) == done_once(tasks)) {  // on a slow machine: there must be work meanwhile
      board.post(small_tasks(200));
      tasks += 200;
    }
    const Value done = board.data({"compact", "--json"});
    CHECK(done.find("base")->integer() >= base);
    base = done.find("base")->integer();
    ++compacted;
  }
  CHECK(board.value("SELECT count(*) FROM agents WHERE state = 'live'") == std::to_string(agents));
  check_whole(board.directory());
  CHECK(board.value(fmt::format("SELECT count(*) < {} FROM log", 3 * tasks)) == "1");
}

TEST_CASE("A copy of a board in use is a complete board on which work can go on") {
  constexpr std::size_t tasks = 300;
  const TestBoard board;
  const std::string copy = board.path("copy");
  {
    const Process controller = board.serve();
    const Process agent = board.agent("a1", {"--simulate"});
    board.await_agents(1);
    board.post(small_tasks(tasks));
    REQUIRE(board.becomes("SELECT count(*) > 20 FROM tasks WHERE state = 'done'", "1"));
    board.must({"backup", copy});
    CHECK(board.value(fmt::format("SELECT count(*) < {} FROM tasks WHERE state = 'done'", tasks)) == "1");
  }
  check_whole({copy + "/.bidboard"});
  // The board is lost; its copy takes its place.
  std::filesystem::remove_all(board.directory().path);
  std::filesystem::rename(copy + "/.bidboard", board.directory().path);
  const Process controller = board.serve();
  const Process agent = board.agent("a2", {"--simulate", "--capacity", "8"});
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'done'", std::to_string(tasks)));
  CHECK(board.value("SELECT count(*), count(DISTINCT task) FROM log WHERE kind = 'task_finished'") ==
        done_once(tasks));
  check_whole(board.directory());
}
