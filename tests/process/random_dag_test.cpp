// A large job during which all its processes are killed at random: agents, the guards of their tasks, the
// controller, and the supervisor that started them. The guarantees must hold whichever dies.
#include <signal.h>

#include <algorithm>
#include <map>
#include <optional>

#include "agents/guard/platform.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recorded_dag.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr std::size_t agent_count = 6;

constexpr const char* settings = R"(
project: dag
backoff: 10ms
restart: {intensity: 1000, period: 1s}
agents:
  - {name: w, count: 4, allow_run: true}
  - {name: wide, count: 2, capacity: 2, allow_run: true}
)";

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<ProcessEntry> table(32 * 1024);
  const std::optional<std::size_t> count = list_processes(table.data(), table.size());
  REQUIRE(count.has_value());
  std::vector<pid_t> children;
  for (std::size_t i = 0; i < *count; ++i)
    if (table[i].parent == parent && !table[i].zombie) children.push_back(table[i].pid);
  return children;
}

class Storm {
 public:
  Storm(const TestBoard& board, const RecordedDag& dag, Random& random)
      : board_(board), dag_(dag), random_(random), up_(board.start({"up"})) {
    await_up();
  }

  /// Each kill comes a few lines of the record later, so that it hits work and not a start. Ends early if the
  /// job does: on a slow machine more of it is done between two kills.
  void kill(std::size_t count) {
    while (total() < count && !dag_.all_done()) {
      const std::size_t mark = dag_.lines() + random_.below(8);
      INFO("after " << total() << " kills\n" << up_.err());
      REQUIRE(eventually([&] { return dag_.lines() >= mark || dag_.all_done(); }, patience));
      kill_one();
    }
    INFO("after " << total() << " kills");
    CHECK(total() >= count / 5);
  }
  std::size_t killed(const std::string& sort) const { return killed_.contains(sort) ? killed_.at(sort) : 0; }

  /// Everything ends with the supervisor.
  void stop() {
    up_.signal(SIGTERM);
    CHECK(up_.wait() == 0);
  }
  std::string words() const { return up_.err(); }

 private:
  void await_up() {
    const bool up = eventually(
        [&] { return !up_.running() || children_of(up_.pid()).size() == agent_count + 1; }, patience);
    INFO(up_.err());
    REQUIRE(up);
    REQUIRE(up_.running());
  }

  std::size_t total() const {
    std::size_t sum = 0;
    for (const auto& [sort, count] : killed_) sum += count;
    return sum;
  }

  void kill_one() {
    if (total() % 20 == 19) return kill_supervisor();
    const std::uint64_t dice = random_.below(100);
    const auto writer = serving_writer(board_.directory());
    const pid_t controller = writer ? static_cast<pid_t>(writer->pid) : 0;
    if (dice < 15 && controller != 0) return kill_process(controller, "controller");
    std::vector<pid_t> agents = children_of(up_.pid());
    std::erase(agents, controller);
    if (agents.empty()) return;
    const pid_t agent = agents[random_.below(agents.size())];
    const std::vector<pid_t> guards = children_of(agent);
    if (dice < 40 && !guards.empty()) return kill_process(guards[random_.below(guards.size())], "guard");
    kill_process(agent, "agent");
  }

  void kill_process(pid_t pid, const std::string& sort) {
    if (::kill(pid, SIGKILL) == 0) ++killed_[sort];
  }

  void kill_supervisor() {
    const std::vector<pid_t> children = children_of(up_.pid());
    up_.kill();
    ++killed_["supervisor"];
    for (const pid_t child : children) REQUIRE(eventually([&] { return !process_exists(child); }, patience));
    up_ = board_.start({"up"});
    await_up();
  }

  const TestBoard& board_;
  const RecordedDag& dag_;
  Random& random_;
  Process up_;
  std::map<std::string, std::size_t> killed_;
};

void run_through_storm(std::size_t tasks, std::size_t kills, std::uint64_t seed) {
  INFO("BIDBOARD_SEED=" << seed);
  Random random(seed);
  const TestBoard board;
  board.write("bidboard.yaml", settings);
  const RecordedDag dag(board, tasks, 40, random);
  dag.post();
  Storm storm(board, dag, random);
  storm.kill(kills);
  const bool done = eventually([&] { return dag.all_done(); }, std::chrono::seconds(300));
  INFO(storm.words());
  REQUIRE(done);
  storm.stop();

  dag.check();
  dag.check_nothing_runs();
  for (const char* sort : {"agent", "guard", "controller", "supervisor"}) {
    INFO(sort);
    CHECK(storm.killed(sort) > 0);
  }
  CHECK(dag.begun() > dag.size());  // some were killed during their run and repeated
  const Finished doctor = board.run({"doctor", "--deep"});
  INFO(doctor.out << doctor.err);
  CHECK(doctor.exit_code == 0);
}

}  // namespace

TEST_CASE(
    "Agents, guards, controller and supervisor are killed during a job, and no task is lost, done twice, "
    "overlapping, too early or left running") {
  const std::uint64_t seed = test_seed(20'260'101);
  if (soak_rounds() == 1) return run_through_storm(500, 100, seed);
  for (std::uint64_t i = 0; i < 2; ++i) run_through_storm(2000, 500, seed + i);
}
