// The checkers must find what is wrong: each test breaks one thing.
#include "blackboard/board/verify.hpp"

#include "blackboard/board/board.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/secrets.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flaky_store.hpp"

using namespace bidboard;

namespace {

/// A board with a little of everything.
struct Sample {
  FlakyStore store;
  std::string content = std::string(2'000, 'c');

  Sample() {
    Board board(store);
    const auto apply = [&](EventBody body) { board.apply(Event{WallTime{1'000}, std::move(body)}); };
    Agent agent;
    agent.id = {1};
    agent.profile.name = "ann";
    Workflow flow;
    flow.id = {1};
    flow.tasks = flow.open = 3;
    Task one, two, three;
    one.id = {1}, two.id = {2}, three.id = {3};
    one.spec.workflow = two.spec.workflow = three.spec.workflow = {1};
    one.state = two.state = TaskState::ready;
    two.spec.key = "key";
    three.spec.needs = {{{1}, false}, {{2}, false}};
    three.state = TaskState::blocked;
    three.open_needs = 2;
    apply(TermStarted{{1}, 7});
    apply(AgentRegistered{agent});
    apply(WorkflowPosted{flow});
    for (const Task& task : {one, two, three}) apply(TaskPosted{task});
    Auction decision;
    decision.id = {1};
    for (std::uint64_t id = 1; id <= 2; ++id, decision.id.value += 1)
      apply(TaskAwarded{{id}, {1}, {1}, "0123456789abcdef", false, WallTime{9'000}, decision});
    board.stage_blob(content_hash(content), content);
    apply(TaskFinished{{1}, {1}, {1}, "", content_hash(content), 0, 0});
    apply(Calibrated{{{1}, "task", 1, one_micro, one_micro, one_micro}});
    apply(DiscoveryPosted{{{1}, {1}, {1}, {1}, "kind", "title", "body", "", {}}});
    apply(Replied{{5}, 1, "bytes"});
    REQUIRE(board.commit({1}).has_value());
  }
  static constexpr Micros one_micro = bidboard::one;

  template <class T, class Change>
  void change(const std::string& key, Change&& how) {
    T record = unseal<T>(store.get(key).value()).value();
    how(record);
    store.replace(key, seal(record));
  }
};

bool says(const std::vector<std::string>& findings, const std::string& what) {
  for (const std::string& finding : findings)
    if (finding.find(what) != std::string::npos) return true;
  for (const std::string& finding : findings) UNSCOPED_INFO(finding);
  return false;
}

}  // namespace

TEST_CASE("a whole board has no findings") {
  Sample board;
  CHECK(check_invariants(board.store).empty());
  CHECK(verify(board.store).empty());
}

TEST_CASE("every index entry that is missing or too many is found, by both checks") {
  for (const char letter : std::string("rehdnkwvU")) {
    Sample board;
    std::vector<std::string> found;
    board.store.scan(std::string(1, letter), {}, [&](std::string_view key, std::string_view) {
      found.emplace_back(key);
      return true;
    });
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
  CHECK(says(check_invariants(board.store), "t3 exists, but the counter has only given out 2"));
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
  CHECK(says(verify(board.store), "is not what its hash says"));
  board.store.replace(key, std::nullopt);
  CHECK(says(verify(board.store), "which event 9 names, is missing"));
}

TEST_CASE("a log that is damaged, has a gap, or cannot be is told, not tripped over") {
  Sample board;
  const std::string key = keys::event({4});
  const std::string whole(board.store.get(key).value());
  board.store.replace(key, whole.substr(0, whole.size() - 1) + "?");
  CHECK(says(verify(board.store), "event 4 cannot be read"));
  board.store.replace(key, std::nullopt);
  CHECK(says(verify(board.store), "event 4 is missing"));
  CHECK(says(check_invariants(board.store), "events 4 to 4 are missing"));
  board.store.replace(key, seal(Event{{}, TaskStarted{{77}, {1}}}));
  CHECK(says(verify(board.store), "it changes t77, which does not exist by then"));
  board.store.replace(key, whole);
  board.store.replace(keys::event(board.store.last_seq()), std::nullopt);
  CHECK(says(verify(board.store), "event " + std::to_string(board.store.last_seq().value) + " is missing"));
}

TEST_CASE("an event in the log that names no task at all is told, not tripped over") {
  Sample board;
  board.store.replace(keys::event({4}), seal(Event{{}, TaskStarted{{}, {1}}}));
  CHECK(says(verify(board.store), "it changes t0, which does not exist by then"));
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
