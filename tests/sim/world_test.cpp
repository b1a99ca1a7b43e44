// Simulated worlds without faults: all tasks are done, and the same options give the same run.
#include "runtime/sim/world.hpp"

#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;
using namespace bidboard::sim;

namespace {

WorldOptions small_world(const std::string& strategy) {
  WorldOptions options;
  options.config.strategy = strategy;
  for (int i = 0; i < 3; ++i) {
    AgentSpec agent;
    agent.profile.name = fmt::format("agent{}", i);
    agent.profile.speed = (i + 1) * one;
    options.agents.push_back(agent);
  }
  return options;
}

/// Tasks in chains of three.
Post chains(std::uint32_t count) {
  Post post;
  for (std::uint32_t i = 0; i < count; ++i) {
    TaskSpec task;
    task.title = fmt::format("task {}", i);
    task.size = 10 * one;
    post.tasks.push_back(task);
    if (i % 3 != 0) post.batch_needs.push_back({i, i - 1, false});
  }
  return post;
}

}  // namespace

TEST_CASE("without faults every strategy does all tasks") {
  for (const char* strategy : {"fifo", "central", "random", "single", "blackboard", "auction", "peer"}) {
    INFO(strategy);
    World world(small_world(strategy));
    world.post(chains(30));
    REQUIRE(world.run_until_done(Instant{} + minutes(30)));
    const Board board(world.store());
    for (std::uint64_t id = 1; id <= 30; ++id) CHECK(board.task(TaskId{id})->state == TaskState::done);
    CHECK(verify(world.store()).empty());
    const LinkCount total = world.traffic().total();
    CHECK(total.lost == 0);
    CHECK(total.messages > 60);
    Duration useful;
    for (const Usage& usage : world.usage()) {
      CHECK(usage.useful == usage.slot_time);
      CHECK(usage.busy <= usage.alive);
      useful = useful + usage.useful;
    }
    CHECK(useful >= seconds(100));
  }
}

TEST_CASE("peers on slow links do not flood each other with outdated messages") {
  WorldOptions options;
  options.config.strategy = "peer";
  options.links.latency_max = milliseconds(270);
  for (int i = 0; i < 8; ++i) {
    AgentSpec agent;
    agent.profile.name = fmt::format("agent{}", i);
    agent.profile.speed = (1 + i % 4) * one;
    agent.profile.capacity = 1 + static_cast<std::uint32_t>(i) % 3;
    options.agents.push_back(agent);
  }
  World world(options);
  world.post(chains(24));
  REQUIRE(world.run_until_done(Instant{} + minutes(30)));
  CHECK(world.traffic().total().messages < 12'000);  // 37,000 when peers did not wait for confirmations
}

TEST_CASE("a simulated controller admits more than a thousand agents") {
  WorldOptions options = small_world("fifo");
  constexpr std::size_t agents = 1'001;  // one above the default limit of a controller
  while (options.agents.size() < agents) {
    options.agents.push_back(options.agents.front());
    options.agents.back().profile.name = fmt::format("agent{}", options.agents.size());
  }
  World world(std::move(options));
  world.run_until(Instant{} + seconds(2));
  const Board board(world.store());
  CHECK(board.counters().agent.value == agents);
}

TEST_CASE("the same options give the same run, another seed a different one") {
  const auto hash = [](std::uint64_t seed) {
    WorldOptions options = small_world("auction");
    options.seed = seed;
    options.faults.rates.agent_crash_every = seconds(10);
    options.links.loss = 50'000;
    World world(options);
    world.post(chains(30));
    world.run_until_done(Instant{} + minutes(60));
    return world.log_hash();
  };
  CHECK(hash(1) == hash(1));
  CHECK(hash(1) != hash(2));
}

TEST_CASE("every free agent gets a task at once when there are enough") {
  for (const char* strategy : {"fifo", "central", "random", "auction", "blackboard"}) {
    INFO(strategy);
    WorldOptions options;
    options.config.strategy = strategy;
    for (int i = 0; i < 20; ++i) {
      options.agents.emplace_back();
      options.agents.back().profile.name = fmt::format("agent{}", i);
    }
    World world(options);
    world.run_until(Instant{} + seconds(5));
    Post post;
    post.tasks.resize(100);
    for (TaskSpec& task : post.tasks) task.title = "task", task.size = 100 * one;
    world.post(post, world.now());
    world.run_until(Instant{} + seconds(8));
    std::size_t running = 0;
    for (const auto& agent : world.agents()) running += agent->running();
    CHECK(running == 20);
  }
}
