#include "blackboard/board/board.hpp"

#include "blackboard/board/verify.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/random.hpp"
#include "blackboard/secrets.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flaky_store.hpp"

using namespace bidboard;

namespace {

constexpr Term term{1};

Event event(EventBody body, std::int64_t at = 1) { return {WallTime{at}, std::move(body)}; }

Event posted(std::uint64_t id, TaskState state = TaskState::ready, std::vector<Need> needs = {}) {
  Task task;
  task.id = TaskId{id};
  task.spec.title = "task";
  task.spec.needs = std::move(needs);
  task.state = state;
  task.open_needs = static_cast<std::uint32_t>(state == TaskState::blocked ? task.spec.needs.size() : 0);
  return event(TaskPosted{task});
}
Event registered(std::uint64_t id, const std::string& name) {
  Agent agent;
  agent.id = AgentId{id};
  agent.profile.name = name;
  return event(AgentRegistered{agent});
}
Event awarded(std::uint64_t task, std::uint64_t agent, std::uint64_t epoch = 1) {
  Auction decision;
  decision.id = AuctionId{task * 100 + epoch};
  return event(TaskAwarded{{task}, {agent}, {epoch}, "0123456789abcdef", false, WallTime{5'000}, decision});
}

std::vector<std::string> scanned(const Board& board, std::string_view prefix, std::string_view from) {
  std::vector<std::string> out;
  board.scan(prefix, from, [&](std::string_view key, std::string_view value) {
    out.push_back(std::string(key) + "=" + std::string(value));
    return true;
  });
  return out;
}

std::vector<std::string> ready(const Board& board) {
  return scanned(board, std::string(1, keys::ready_letter), {});
}

}  // namespace

TEST_CASE(
    "the board shows the batch's changes before they are committed, and the commit makes them the store's") {
  MemoryStore store;
  Board board(store);
  board.apply(posted(1));
  CHECK(board.task({1})->state == TaskState::ready);
  CHECK(ready(board).size() == 1);
  CHECK_FALSE(store.get(keys::task({1})).value().has_value());
  CHECK(board.next_seq() == Seq{2});
  REQUIRE(board.commit(term).has_value());
  CHECK(store.last_seq() == Seq{1});
  CHECK(Board(store).task({1})->spec.title == "task");
  CHECK(check_invariants(store).empty());
}

TEST_CASE("discard brings back what was committed: records, indexes, counters, configuration") {
  MemoryStore store;
  Board board(store);
  board.apply(posted(1));
  REQUIRE(board.commit(term).has_value());
  board.apply(registered(1, "ann"));
  board.apply(awarded(1, 1));
  board.apply(posted(2));
  Config config;
  config.strategy = "fifo";
  board.apply(event(ConfigSet{config}));
  board.discard();
  CHECK_FALSE(board.has_changes());
  CHECK(board.task({1})->state == TaskState::ready);
  CHECK(board.task({2}) == nullptr);
  CHECK(board.agent({1}) == nullptr);
  CHECK_FALSE(board.agent_named("ann").has_value());
  CHECK(board.counters().task == TaskId{1});
  CHECK(board.config().strategy == Config{}.strategy);
  CHECK(ready(board).size() == 1);
  CHECK(board.holding_count({1}) == 0);
}

TEST_CASE("a failed commit changes nothing, and nothing is left of its batch") {
  FlakyStore store;
  Board board(store);
  board.apply(posted(1));
  store.commits_to_fail = 1;
  CHECK(board.commit(term).error().code == Errc::storage);
  CHECK(store.last_seq() == Seq{0});
  CHECK_FALSE(board.has_changes());
  CHECK(board.task({1}) == nullptr);
  board.apply(posted(1));
  REQUIRE(board.commit(term).has_value());
  CHECK(store.last_seq() == Seq{1});
  CHECK(check_invariants(store).empty());
}

TEST_CASE("a commit without changes does not touch the store") {
  FlakyStore store;
  Board board(store);
  store.commits_to_fail = 1;
  CHECK(board.commit(term).has_value());
  CHECK(store.commits_to_fail == 1);
  CHECK(store.last_term() == Term{0});
}

TEST_CASE("a damaged record is reported every time it is needed, not taken for absent") {
  FlakyStore store;
  {
    Board board(store);
    board.apply(posted(1));
    REQUIRE(board.commit(term).has_value());
  }
  std::string bytes(store.get(keys::task({1})).value().value());
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  store.replace(keys::task({1}), bytes);
  Board board(store);
  CHECK_THROWS_AS(board.task({1}), DamagedRecord);
  CHECK_THROWS_AS(board.task({1}), DamagedRecord);
  board.discard();
  CHECK_THROWS_AS(board.task({1}), DamagedRecord);
  store.replace(std::string(keys::counters), "rubbish");
  CHECK(Board(store).damage().has_value());
}

TEST_CASE("what was absent once is found when it comes") {
  FlakyStore store;
  Board board(store);
  CHECK(board.task({1}) == nullptr);
  Task task;
  task.id = {1};
  store.replace(keys::task({1}), seal(task));
  CHECK(board.task({1}) != nullptr);
}

TEST_CASE("scans over store and overlay see what a simple map sees") {
  Random random(5);
  for (int round = 0; round < 60; ++round) {
    MemoryStore store;
    Board board(store);
    std::map<std::string, std::string> twin;  // the holdings as they should be
    std::uint64_t tasks = 0;
    for (int step = 0; step < 60; ++step) {
      const std::uint64_t dice = random.below(10);
      if (dice < 5) {
        board.apply(posted(++tasks));
        board.apply(awarded(tasks, random.below(3) + 1));
        twin[keys::holding(board.task({tasks})->holder, {tasks})] = "";
      } else if (dice < 8 && tasks > 0) {
        const Task task = *board.task({random.below(tasks) + 1});
        if (!is_held(task.state)) continue;
        board.apply(event(TaskFinished{task.id, task.epoch, task.holder, "", "", 0, 0, {}}));
        twin.erase(keys::holding(task.holder, task.id));
      } else if (dice == 8) {
        REQUIRE(board.commit(term).has_value());
      }
      const std::string prefix = random.chance(500'000) ? std::string(1, keys::holding_letter)
                                                        : keys::holdings_of({random.below(3) + 1});
      const std::string from = keys::holding({random.below(4)}, {random.below(40)});
      std::vector<std::string> expected;
      for (auto it = twin.lower_bound(std::max(prefix, from));
           it != twin.end() && it->first.starts_with(prefix); ++it)
        expected.push_back(it->first + "=");
      REQUIRE(scanned(board, prefix, from) == expected);
    }
  }
}

TEST_CASE("a scan stops when its visitor has seen enough, in the store and in the overlay") {
  MemoryStore store;
  Board board(store);
  board.apply(posted(1));
  board.apply(posted(3));
  REQUIRE(board.commit(term).has_value());
  board.apply(posted(2));
  board.apply(posted(4));
  for (std::size_t enough = 1; enough <= 4; ++enough) {
    std::size_t seen = 0;
    board.scan(std::string(1, keys::ready_letter), {},
               [&](std::string_view, std::string_view) { return ++seen < enough; });
    CHECK(seen == enough);
  }
}

TEST_CASE("ready tasks come by priority, then by the chain behind them, then by number") {
  MemoryStore store;
  Board board(store);
  const auto post = [&](std::uint64_t id, std::int64_t priority, Micros level) {
    Event e = posted(id);
    Task& task = std::get<TaskPosted>(e.body).task;
    task.spec.priority = priority;
    task.bottom_level = level;
    board.apply(e);
  };
  post(1, 0, 5);
  post(2, -3, 9);
  post(3, 7, 0);
  post(4, 0, 8);
  post(5, 0, 5);
  std::vector<std::uint64_t> order;
  board.scan(std::string(1, keys::ready_letter), {}, [&](std::string_view key, std::string_view) {
    order.push_back(keys::last_id<TaskId>(key).value);
    return true;
  });
  CHECK(order == std::vector<std::uint64_t>{3, 4, 1, 5, 2});
}

TEST_CASE("large content is stored once under its hash") {
  MemoryStore store;
  Board board(store);
  const std::string content(5'000, 'x');
  const std::string hash = content_hash(content);
  board.apply(registered(1, "ann"));
  for (std::uint64_t id = 1; id <= 2; ++id) {
    board.apply(posted(id));
    board.apply(awarded(id, 1));
    board.stage_blob(hash, content);
    board.apply(event(TaskFinished{{id}, {1}, {1}, "", hash, 0, 0, {}}));
    REQUIRE(board.commit(term).has_value());
    CHECK(board.result_of(*board.task({id})) == content);
  }
  CHECK(verify(store).empty());
}

TEST_CASE("a client keeps the replies with the highest numbers, whatever order they came in") {
  MemoryStore store;
  Board board(store);
  for (const std::uint64_t number : {5, 3, 4})
    board.apply(event(Replied{{9}, number, "r" + std::to_string(number)}));
  for (std::uint64_t number = 6; number <= kept_replies + 3; ++number)
    board.apply(event(Replied{{9}, number, "r"}));
  const Client& client = *board.client({9});
  CHECK(client.replies.size() == kept_replies);
  CHECK(client.replies.front().request == 4);
  CHECK(client.last_request == kept_replies + 3);
  REQUIRE(board.commit(term).has_value());
  CHECK(check_invariants(store).empty());
  board.apply(event(ClientForgotten{{9}}));
  REQUIRE(board.commit(term).has_value());
  CHECK(board.client({9}) == nullptr);
  CHECK(check_invariants(store).empty());
}
