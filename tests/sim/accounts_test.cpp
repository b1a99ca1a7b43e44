// Accounts at simulated providers: what they refuse and bill, and that the board neither loses a task nor
// uses up an attempt by it, nor says that something else was spent.
#include <algorithm>

#include "blackboard/board/board.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"
#include "runtime/sim/bills.hpp"
#include "runtime/sim/checkers.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;
using namespace bidboard::sim;

namespace {

constexpr TaskId task{1};

Instant at(std::int64_t s) { return Instant{} + seconds(s); }

/// Every class of outages, often; calls that run out; prices with fractions.
AccountSpec troubled(const std::string& name) {
  AccountSpec account;
  account.name = name;
  account.outages = {
      {Outage::rate_limit, minutes(3), seconds(20)},  {Outage::quota, minutes(15), minutes(4)},
      {Outage::overload, minutes(5), seconds(30), 0}, {Outage::authentication, minutes(30), minutes(3), 0},
      {Outage::crash, minutes(2), seconds(20), 0},    {Outage::network, minutes(4), seconds(20), one / 2}};
  account.calls_max = 40;
  account.price = 12'345;
  account.price_per_second = 1'234;
  account.tokens_per_second = 17;
  return account;
}

WorldOptions troubled_world(const std::string& strategy, std::uint32_t agents, std::uint32_t accounts) {
  WorldOptions options;
  options.config.strategy = strategy;
  for (std::uint32_t i = 0; i < accounts; ++i)
    options.accounts.push_back(troubled(fmt::format("account{}", i)));
  for (std::uint32_t i = 0; i < agents; ++i) {
    AgentSpec agent;
    agent.profile.name = fmt::format("agent{}", i);
    agent.profile.account = options.accounts[i % accounts].name;
    options.agents.push_back(std::move(agent));
  }
  return options;
}

Post tasks(std::uint32_t count) {
  Post post;
  for (std::uint32_t i = 0; i < count; ++i) {
    TaskSpec spec;
    spec.title = fmt::format("task {}", i);
    spec.size = (5 + i % 40) * one;
    post.tasks.push_back(std::move(spec));
  }
  return post;
}

Amount billed(const Provider& provider) {
  Amount sum;
  for (const auto& [attempt, bill] : provider.bills()) sum = sum + bill.amount;
  return sum;
}

}  // namespace

TEST_CASE("an account allows so many calls in a window, then says when the next one begins") {
  AccountSpec account;
  account.name = "a";
  account.calls_max = 2;
  account.window = seconds(60);
  Provider provider({account}, 1);
  CHECK_FALSE(provider.call("a", 0, task, Epoch{1}, at(1)));
  CHECK_FALSE(provider.call("a", 1, task, Epoch{2}, at(2)));
  const auto refused = provider.call("a", 0, task, Epoch{3}, at(50));
  REQUIRE(refused);
  CHECK(refused->outage == Outage::rate_limit);
  CHECK(refused->stated == seconds(10));
  CHECK_FALSE(provider.call("a", 0, task, Epoch{4}, at(60)));
  CHECK(provider.was_refused(task, Epoch{3}));
  CHECK_FALSE(provider.was_refused(task, Epoch{4}));
  CHECK(provider.calls() == 4);
  CHECK(provider.calls_refused() == 1);
}

TEST_CASE(
    "outages come and go, strike all of an account or one agent, and state what they are told to state") {
  AccountSpec all{"all", {{Outage::overload, seconds(100), seconds(50), one / 2}}};
  AccountSpec one_by_one{"one", {{Outage::crash, seconds(100), seconds(50), 0}}};
  Provider provider({all, one_by_one}, 7);
  for (std::uint32_t agent = 0; agent < 4; ++agent) provider.join("one", agent);
  std::size_t refused_moments = 0;
  Duration stated_before;
  for (std::int64_t s = 0; s < 20'000; ++s) {
    const auto a = provider.call("all", 0, task, Epoch{1}, at(s));
    const auto b = provider.call("all", 1, task, Epoch{1}, at(s));
    CHECK(a.has_value() == b.has_value());
    refused_moments += a.has_value();
    // Half of what is left, so half a second less with each second.
    if (a && stated_before.us > seconds(1).us) CHECK(stated_before - a->stated == milliseconds(500));
    stated_before = a ? a->stated : Duration{};
    std::size_t crashed = 0;
    for (std::uint32_t agent = 0; agent < 4; ++agent) {
      const auto c = provider.call("one", agent, task, Epoch{1}, at(s));
      crashed += c.has_value();
      if (c) CHECK(c->stated == Duration{});
    }
    CHECK(crashed <= 1);
  }
  // A third of the time, give or take what chance does over 130 outages.
  CHECK(refused_moments > 20'000 / 5);
  CHECK(refused_moments < 20'000 / 2);
  provider.heal();
  for (std::int64_t s = 20'000; s < 21'000; ++s) CHECK_FALSE(provider.call("all", 0, task, Epoch{1}, at(s)));
}

TEST_CASE("a provider bills the attempt and its seconds, whatever became of it") {
  Provider provider({troubled("a")}, 1);
  provider.open("a", task, Epoch{1}, at(10));
  provider.open("a", task, Epoch{2}, at(20));
  CHECK(provider.close(task, Epoch{1}, at(110)) == Amount{12'345 + 100 * 1'234, 1'700});
  CHECK(provider.close(task, Epoch{2}, at(21), Bill::End::lost) == Amount{12'345 + 1'234, 17});
  CHECK(provider.bills().at({task, Epoch{2}}).end == Bill::End::lost);
}

namespace {

void check_outages_cost_nothing(const std::string& strategy, std::uint32_t agents, std::uint32_t count) {
  INFO(strategy);
  World world(troubled_world(strategy, agents, agents / 10 + 1));
  Checkers checkers;
  BillChecker bills(world, true);
  world.observe(checkers);
  world.observe(bills);
  world.post(tasks(count));
  REQUIRE(world.run_until_done(Instant{} + minutes(60 * 24)));
  checkers.check_at_end(world.store(), world.now());
  bills.check_at_end(world.now());
  CHECK(checkers.violations() == std::vector<std::string>{});
  CHECK(bills.violations() == std::vector<std::string>{});
  CHECK(bills.used_up() == 0);
  const Board board(world.store());
  for (std::uint64_t id = 1; id <= count; ++id) {
    CHECK(board.task(TaskId{id})->state == TaskState::done);
    CHECK(board.task(TaskId{id})->attempts == 1);
  }
  CHECK(world.provider().calls_refused() > count / 10);
  CHECK(world.provider().bills().size() > count);  // some were cut off in the middle, and cost something
  CHECK(board.spending("board").spent == billed(world.provider()));
}

}  // namespace

TEST_CASE(
    "50 agents with random outages do 500 tasks: none lost, no attempt used up, spent what was billed") {
  for (const char* strategy : {"fifo", "auction", "blackboard"})
    check_outages_cost_nothing(strategy, 50, 500);
}

TEST_CASE("the same holds for agents that agree among themselves, and with one agent that does everything") {
  for (const char* strategy : {"peer", "single"}) check_outages_cost_nothing(strategy, 8, 60);
}

TEST_CASE("a client that tells no outages uses up attempts, and the check of that is red") {
  WorldOptions options = troubled_world("fifo", 10, 1);
  for (AgentSpec& agent : options.agents) agent.behaviour.tells_outages = false;
  World world(std::move(options));
  BillChecker strict(world, true);
  BillChecker knowing(world, true, false);
  world.observe(strict);
  world.observe(knowing);
  world.post(tasks(100));
  world.run_until_done(Instant{} + minutes(60 * 24));
  strict.check_at_end(world.now());
  knowing.check_at_end(world.now());
  REQUIRE_FALSE(strict.violations().empty());
  CHECK(strict.violations().front().find("was ended by the provider, but counts") != std::string::npos);
  CHECK(strict.used_up() > 10);
  CHECK(knowing.violations() == std::vector<std::string>{});  // what it costs is told all the same
}

TEST_CASE("a price that differs from the bill by a millionth is found, in its attempt and in the sum") {
  World world(troubled_world("fifo", 4, 1));
  BillChecker bills(world, true);
  world.observe(bills);
  world.post(tasks(20));
  REQUIRE(world.run_until_done(Instant{} + minutes(60 * 24)));
  bills.check_at_end(world.now());
  REQUIRE(bills.violations().empty());
  Saved more;
  AttemptSettled settled;
  settled.task = world.provider().bills().begin()->first.first;
  settled.epoch = world.provider().bills().begin()->first.second;
  settled.price = world.provider().bills().begin()->second.amount.money + 1;
  more.events.push_back(Event{WallTime{}, settled});
  bills.on_saved(more, world.store(), world.now());
  bills.check_at_end(world.now());
  CHECK(bills.violations().size() == 2);
}

TEST_CASE("a board with a budget stops when it is spent, and goes on when it is raised") {
  WorldOptions options = troubled_world("fifo", 4, 1);
  options.accounts.front().outages.clear();
  options.accounts.front().calls_max = 0;
  options.config.budgets = {{"board", {one / 2, 0}}};
  options.config.estimate = {one / 25, 0};
  World world(std::move(options));
  BillChecker bills(world, true);
  world.observe(bills);
  world.post(tasks(50));
  CHECK_FALSE(world.run_until_done(Instant{} + minutes(60)));
  const Amount spent = billed(world.provider());
  CHECK(spent.money > one / 3);
  CHECK(spent.money < one * 6 / 10);  // what attempts under way cost more than expected
  world.request(0, RaiseBudget{"board", {10 * one, 0}}, world.now());
  CHECK(world.run_until_done(Instant{} + minutes(120)));
  bills.check_at_end(world.now());
  CHECK(bills.violations() == std::vector<std::string>{});
}

TEST_CASE("a world without accounts draws nothing for providers, and its run is what it was") {
  const auto hash = [](bool with_unused_account) {
    WorldOptions options = troubled_world("auction", 4, 1);
    for (AgentSpec& agent : options.agents) agent.profile.account = "elsewhere";
    if (!with_unused_account) options.accounts.clear();
    World world(std::move(options));
    world.post(tasks(30));
    world.run_until_done(Instant{} + minutes(60));
    return world.log_hash();
  };
  CHECK(hash(false) == hash(true));
}
