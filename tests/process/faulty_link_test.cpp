// Agents behind a link that drops, duplicates, delays, reorders and cuts: the result is the same as without
// it.
#include "tests/support/faulty_link.hpp"

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recorded_dag.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

Config quick_repairs(const char* strategy) {
  Config config;
  config.project = "link";
  config.strategy = strategy;
  config.heartbeat = milliseconds(100);
  config.lease = seconds(20);
  config.bid_timeout = milliseconds(200);
  config.backoff = milliseconds(10);
  return config;
}

/// Every task is done once, in order, by legal awards, and (since no agent died or was late) at its first
/// award or after refusals that got lost.
void run_over(const LinkFaults& faults, const char* strategy, std::uint64_t seed) {
  INFO(strategy << ", BIDBOARD_SEED=" << seed);
  Random random(seed);
  const TestBoard board;
  const RecordedDag dag(board, 80, 40, random);
  const Process controller = board.serve();
  board.configure(quick_repairs(strategy));
  dag.post();
  const FaultyLink link(serving_writer(board.directory())->endpoint, faults, seed);
  std::vector<Process> agents;
  for (int i = 1; i <= 4; ++i)
    agents.push_back(board.agent(fmt::format("w{}", i), {"--allow-run", "--capacity", "2"}));
  const bool done = eventually([&] { return dag.all_done(); }, std::chrono::seconds(120));
  const FaultyLink::Counts counts = link.counts();
  INFO("passed " << counts.passed << " dropped " << counts.dropped << " duplicated " << counts.duplicated
                 << " delayed " << counts.delayed << " cut " << counts.cut);
  if (!done)
    for (const std::string& row :
         board.rows("SELECT id, state, holder, epoch FROM tasks WHERE state != 'done'"))
      UNSCOPED_INFO(row);
  REQUIRE(done);
  dag.check();
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'agent_left'") == "0");
  for (const std::string& row :
       board.rows("SELECT seq, at, agent, body FROM log WHERE task IN (SELECT task FROM log "
                  "WHERE kind = 'task_awarded' GROUP BY task HAVING count(*) > 1) ORDER BY seq"))
    UNSCOPED_INFO(row);
  CHECK(dag.begun() == dag.size());
  if (faults.drop > 0) CHECK(counts.dropped > 0);
  if (faults.duplicate > 0) CHECK(counts.duplicated > 0);
  if (faults.delay > 0) CHECK(counts.delayed > 0);
  if (faults.cut > 0) CHECK(counts.cut > 0);
  const Finished doctor = board.run({"doctor", "--deep"});
  INFO(doctor.out);
  CHECK(doctor.exit_code == 0);
}

}  // namespace

TEST_CASE("Over a link that drops, duplicates, delays, reorders and cuts, a job ends as over a good one") {
  const std::uint64_t rounds = soak_rounds();
  for (std::uint64_t i = 0; i < rounds; ++i) {
    const std::uint64_t seed = test_seed(1) + i;
    run_over({}, "auction", seed);
    run_over({.duplicate = 300'000, .delay = 300'000}, "auction", seed);
    run_over({.drop = 100'000, .duplicate = 100'000, .delay = 200'000, .cut = 10'000}, "auction", seed);
    run_over({.drop = 100'000, .duplicate = 100'000, .delay = 200'000, .cut = 10'000}, "blackboard", seed);
    // So late that a question who an agent is arrives when it has registered and works.
    run_over({.drop = 100'000, .duplicate = 200'000, .delay = 500'000, .delay_ms = 300}, "blackboard", seed);
  }
}

TEST_CASE(
    "A request whose reply was lost in a controller's crash is not executed again without a controller") {
  const TestBoard board;
  Process controller = board.serve();
  const FaultyLink link(serving_writer(board.directory())->endpoint, {.drop_outward = 1'000'000}, 1);
  Process post = board.start({"post", "once"});
  REQUIRE(board.becomes("SELECT count(*) FROM tasks", "1"));
  Process claim = board.start({"claim", "t1", "--as", "ann"});
  REQUIRE(board.task_becomes("t1", "awarded"));
  controller.kill();
  CHECK(post.wait() == 0);
  CHECK(post.out() == "t1\n");
  INFO(claim.err());
  CHECK(claim.wait() == 0);
  CHECK(claim.out() == "1\n");
  CHECK(board.value("SELECT count(*) FROM tasks") == "1");
}
