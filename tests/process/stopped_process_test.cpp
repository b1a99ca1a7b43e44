// Stopped processes: an agent beyond its lease, which then continues, and a controller during an award.
// SIGSTOP does to one process what a suspended machine does to all.
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recorded_dag.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A task and the epoch of an award of it, as text: "t3.1", which is the file that lets this execution end.
struct Execution {
  std::string task, epoch;
  std::string key() const { return fmt::format("{}.{}", task, epoch); }
};

class Pair {
 public:
  explicit Pair(Random& random) : random_(random), controller_(board_.serve()) {
    Config config;
    config.project = "stops";
    config.heartbeat = milliseconds(300);
    config.lease = milliseconds(900);
    config.backoff = milliseconds(10);
    board_.configure(config);
    board_.write_script("hold.sh",
                        "#!/bin/sh\nuntil [ -e \"go/$BIDBOARD_TASK.$BIDBOARD_EPOCH\" ]; do sleep 0.01; done\n"
                        "echo \"$BIDBOARD_TASK.$BIDBOARD_EPOCH\"\n");
    REQUIRE(::mkdir(board_.path("go").c_str(), 0700) == 0);
    for (const char* name : {"p", "q"})
      agents_.push_back(board_.agent(name, {"--allow-run", "--capacity", "8"}));
  }

  /// Stops one agent beyond its lease while its work ends, and continues it before or after the next holder
  /// ends the tasks. Returns how many results came too late.
  std::size_t round() {
    REQUIRE(board_.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "2"));
    TaskSpec spec;
    spec.title = "holds on";
    spec.run = "./hold.sh";
    spec.attempts = 1000;
    board_.post(std::vector<TaskSpec>(8, spec));
    REQUIRE(board_.becomes("SELECT count(*) FROM tasks WHERE state = 'running'", "8"));
    const std::size_t victim = random_.below(2);
    const std::string name = victim == 0 ? "p" : "q";
    const std::vector<Execution> stale =
        executions(fmt::format("a.name = '{}' AND t.state = 'running'", name));
    agents_[victim].signal(SIGSTOP);
    for (const Execution& execution : stale) board_.write("go/" + execution.key(), "");
    for (const Execution& execution : stale)
      REQUIRE(board_.becomes(fmt::format("SELECT state = 'running' AND epoch > {} FROM tasks WHERE id = '{}'",
                                         execution.epoch, execution.task),
                             "1"));
    const bool wakes_early = rounds_++ % 2 == 0;  // both kinds, however few rounds there are
    if (wakes_early) wake(victim, stale);
    finish_all();
    if (!wakes_early) wake(victim, stale);
    for (const Execution& execution : stale)
      CHECK(board_.value(fmt::format(
                "SELECT result != '{}' AND result = id || '.' || epoch FROM tasks WHERE id = '{}'",
                execution.key(), execution.task)) == "1");
    return stale.size();
  }

  void check() const {
    CHECK(board_.value("SELECT count(*) - count(DISTINCT task) FROM log WHERE kind = 'task_finished'") ==
          "0");
    CHECK(board_.value("SELECT count(*) FROM tasks WHERE state != 'done'") == "0");
    const Finished doctor = board_.run({"doctor", "--deep"});
    INFO(doctor.out);
    CHECK(doctor.exit_code == 0);
  }

 private:
  std::vector<Execution> executions(const std::string& condition) const {
    std::vector<Execution> out;
    for (const std::string& row : board_.rows(
             "SELECT t.id, t.epoch FROM tasks t JOIN agents a ON a.name = t.holder WHERE " + condition))
      out.push_back({row.substr(0, row.find('|')), row.substr(row.find('|') + 1)});
    return out;
  }

  /// It reports what it finished: refused as the result, kept as a discovery.
  void wake(std::size_t victim, const std::vector<Execution>& stale) {
    agents_[victim].signal(SIGCONT);
    for (const Execution& execution : stale) {
      INFO(execution.key() << "\n" << agents_[victim].err());
      REQUIRE(board_.becomes(fmt::format("SELECT group_concat(body) FROM discoveries WHERE kind = "
                                         "'late_result' AND task = '{}' AND epoch = {}",
                                         execution.task, execution.epoch),
                             execution.key()));
    }
    // Once registered again it reports them a second time, as an agent that is known.
    REQUIRE(board_.becomes("SELECT count(*) FROM agents WHERE state = 'live'", "2"));
  }

  void finish_all() {
    REQUIRE(eventually(
        [&] {
          for (const Execution& execution : executions("t.state = 'running'"))
            board_.write("go/" + execution.key(), "");
          return board_.value("SELECT count(*) FROM tasks WHERE state != 'done'") == "0";
        },
        patience));
  }

  Random& random_;
  int rounds_ = 0;
  const TestBoard board_;
  const Process controller_;
  std::vector<Process> agents_;
};

}  // namespace

TEST_CASE("Reports of an agent that was stopped beyond its lease are refused and kept, every time") {
  const std::size_t wanted = soak_rounds() > 1 ? 1000 : 20;
  Random random(test_seed(5));
  Pair pair(random);
  for (std::size_t late = 0; late < wanted;) late += pair.round();
  pair.check();
}

TEST_CASE(
    "A controller that is stopped and killed during an award awards nothing twice, and no lease ends early") {
  const std::size_t stops = soak_rounds() > 1 ? 200 : 16;
  Random random(test_seed(6));
  const TestBoard board;
  const RecordedDag dag(board, stops * 12, 40, random);
  Process controller = board.serve();
  Config config;
  config.project = "stops";
  config.heartbeat = milliseconds(500);
  config.lease = seconds(3);
  board.configure(config);
  const Process one_agent = board.agent("a1", {"--allow-run", "--capacity", "2"});
  const Process another = board.agent("a2", {"--allow-run", "--capacity", "2"});
  board.await_agents(2);
  dag.post();
  for (std::size_t i = 1; i <= stops; ++i) {
    REQUIRE(board.becomes(fmt::format("SELECT count(*) >= {} FROM log WHERE kind = 'task_awarded'", i * 10),
                          "1"));
    controller.signal(SIGSTOP);
    if (i % 8 == 1) {
      ::poll(nullptr, 0, 3500);  // the test is about a lease that runs out
      controller.signal(SIGCONT);
    } else {
      controller.kill();
      controller = board.serve();
    }
  }
  REQUIRE(eventually([&] { return dag.all_done(); }, patience));
  dag.check();
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'agent_left'") == "0");
  CHECK(board.value("SELECT max(epoch) FROM tasks") == "1");
  CHECK(dag.begun() == dag.size());
}
