// Many shells claim one task at the same moment: exactly one gets it, every time.
#include <fcntl.h>
#include <unistd.h>

#include "blackboard/fmt.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/recorded_dag.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr int racers = 8;

/// Each starts all racers, which takes long under sanitizers.
int races() {
  if (is_sanitized) return soak_rounds() > 1 ? 60 : 30;
  return soak_rounds() > 1 ? 300 : 100;
}

/// All start when the pipe is closed. Returns their exit codes and output.
std::vector<Finished> race_for(const TestBoard& board, const std::string& task) {
  int gate[2];
  REQUIRE(::pipe(gate) == 0);
  for (const int fd : gate) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ProcessOptions options = board.surroundings();
  options.begin_when_closed = gate[0];
  options.close_in_child = {gate[1]};
  std::vector<Process> processes;
  for (int i = 1; i <= racers; ++i)
    processes.push_back(board.start({"claim", task, "--as", fmt::format("racer{}", i)}, options));
  for (const int fd : gate) ::close(fd);
  std::vector<Finished> finished;
  for (Process& process : processes) {
    const int exit_code = process.wait();
    finished.push_back({exit_code, process.out(), process.err()});
  }
  return finished;
}

void race_many_times(const TestBoard& board) {
  TaskSpec spec;
  spec.title = "wanted by all";
  const int rounds = races();
  const std::vector<TaskId> tasks = board.post(std::vector<TaskSpec>(static_cast<std::size_t>(rounds), spec));
  for (const TaskId task : tasks) {
    int winner = 0;
    const std::vector<Finished> finished = race_for(board, to_string(task));
    for (int i = 0; i < racers; ++i) {
      const Finished& one_racer = finished[static_cast<std::size_t>(i)];
      INFO(to_string(task) << ", racer" << i + 1 << " ended with " << one_racer.exit_code << ": "
                           << one_racer.out << one_racer.err);
      if (one_racer.exit_code == 5) {
        CHECK(one_racer.out.empty());
        continue;
      }
      REQUIRE(one_racer.exit_code == 0);
      REQUIRE(one_racer.out == "1\n");
      REQUIRE(winner == 0);
      winner = i + 1;
    }
    INFO(to_string(task));
    REQUIRE(winner != 0);
    REQUIRE(board.value(fmt::format(
                "SELECT a.name FROM tasks t JOIN agents a ON a.name = t.holder WHERE t.id = '{}'", task)) ==
            fmt::format("racer{}", winner));
  }
  CHECK(board.value("SELECT count(*), count(DISTINCT task) FROM log WHERE kind = 'task_awarded'") ==
        fmt::format("{}|{}", rounds, rounds));
}

}  // namespace

TEST_CASE("Of eight shells that claim one task at once exactly one wins, without a controller") {
  race_many_times(TestBoard());
}

TEST_CASE("Of eight shells that claim one task at once exactly one wins, with a controller serving") {
  const TestBoard board;
  const Process controller = board.serve();
  race_many_times(board);
}
