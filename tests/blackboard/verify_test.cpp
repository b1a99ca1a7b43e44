// The checkers must find what is wrong: each test breaks one thing.
#include "blackboard/board/verify.hpp"

#include "blackboard/board/board.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/secrets.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/sample_board.hpp"

using namespace bidboard;

TEST_CASE("a whole board has no findings") {
  Sample board;
  CHECK(check_invariants(board.store).empty());
  CHECK(verify(board.store).empty());
}

TEST_CASE("every index entry that is missing or too many is found, by both checks") {
  for (const char letter : std::string("rehdnkwvU")) {
    Sample board;
    std::vector<std::string> found;
    const Result<void> read = board.store.scan(std::string(1, letter), {}, [&](std::string_view key, auto) {
      found.emplace_back(key);
      return true;
    });
    REQUIRE(read.has_value());
    if (letter == keys::ready_letter) {
      CHECK(found.empty());
      Task task;
      task.id = {3};
      found.push_back(keys::ready(task));
    } else {
      REQUIRE_FALSE(found.empty());
    }
    INFO(keys::described(found.front()));
    const auto old = board.store.replace(found.front(), std::nullopt);
    if (!old) board.store.replace(found.front(), "");
    CHECK_FALSE(check_invariants(board.store).empty());
    CHECK(says(verify(board.store), keys::described(found.front())));
  }
}

TEST_CASE("a changed record differs from its log") {
  Sample board;
  board.change<Task>(keys::task({2}), [](Task& task) { task.spec.title = "another"; });
  CHECK(check_invariants(board.store).empty());
  CHECK(says(verify(board.store), "task t2 differs"));
}

TEST_CASE("counts that do not fit are found") {
  Sample board;
  board.change<Task>(keys::task({3}), [](Task& task) { task.open_needs = 2; });
  CHECK(says(check_invariants(board.store), "t3 counts 2 open needs, but has 1"));
  board.change<Workflow>(keys::workflow({1}), [](Workflow& flow) { flow.open = 1; });
  CHECK(says(check_invariants(board.store), "w1 counts 1 open tasks, but has 2"));
  board.change<Counters>(std::string(keys::counters), [](Counters& counters) { counters.task = {2}; });
  CHECK(says(check_invariants(board.store), "t3 exists, but the last id assigned is 2"));
}

TEST_CASE("a task ahead of what it needs is found") {
  Sample board;
  board.change<Task>(keys::task({3}), [](Task& task) { task.state = TaskState::done; });
  CHECK(says(check_invariants(board.store), "t3 is done although t2, which it needs, is awarded"));
}

TEST_CASE("content that is missing or not what its hash says is found") {
  Sample board;
  const std::string key = keys::blob(content_hash(board.content));
  board.store.replace(key, "something else");
  CHECK(says(verify(board.store), "does not match its hash"));
  board.store.replace(key, std::nullopt);
  CHECK(says(verify(board.store), "which event 9 names, is missing"));
}

TEST_CASE("a log that is damaged, has a gap, or cannot be is told, not tripped over") {
  Sample board;
  const std::string key = keys::event({4});
  const std::string whole(board.store.get(key).value().value());
  board.store.replace(key, whole.substr(0, whole.size() - 1) + "?");
  CHECK(says(verify(board.store), "event 4 cannot be read"));
  board.store.replace(key, std::nullopt);
  CHECK(says(verify(board.store), "event 4 is missing"));
  CHECK(says(check_invariants(board.store), "events 4 to 4 are missing"));
  board.store.replace(key, seal(Event{{}, TaskStarted{{77}, {1}}}));
  CHECK(says(verify(board.store), "it changes t77, which does not exist at that point"));
  board.store.replace(key, whole);
  board.store.replace(keys::event(board.store.last_seq()), std::nullopt);
  CHECK(says(verify(board.store), "event " + std::to_string(board.store.last_seq().value) + " is missing"));
}

TEST_CASE("an event in the log that names no task at all is told, not tripped over") {
  Sample board;
  board.store.replace(keys::event({4}), seal(Event{{}, TaskStarted{{}, {1}}}));
  CHECK(says(verify(board.store), "it changes t0, which does not exist at that point"));
}

TEST_CASE("replay gives the board of any past moment, with the content its events name") {
  Sample board;
  const auto past = replay(board.store, {7});
  REQUIRE(past.has_value());
  CHECK((*past)->last_seq() == Seq{7});
  Board then(**past);
  CHECK(then.task({1})->state == TaskState::awarded);
  CHECK(then.task({2})->state == TaskState::ready);
  CHECK(check_invariants(**past).empty());
  const auto now = replay(board.store, {1'000});
  REQUIRE(now.has_value());
  CHECK((*now)->last_seq() == board.store.last_seq());
  Board today(**now);
  CHECK(today.result_of(*today.task({1})) == board.content);
}
