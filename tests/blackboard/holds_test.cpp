// What keeps a waiting task from being awarded stands on the task, and keeps it out of the ready index.
#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/store/memory_store.hpp"
#include "blackboard/task_moves.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

constexpr WallTime now{1'000'000'000};

/// A board with one ready task, t1, and what its indexes say of it.
struct Held {
  MemoryStore store;
  Board board{store};

  Held() {
    Task task;
    task.id = TaskId{1};
    task.spec.title = "one";
    task.state = TaskState::ready;
    apply(TaskPosted{task});
  }
  void apply(EventBody body) {
    board.apply({now, std::move(body)});
    REQUIRE(board.commit(Term{1}).has_value());
    CHECK(check_invariants(store).empty());
    CHECK(verify(store).empty());
  }
  bool in_ready_index() const { return !board.tasks_under(std::string(1, keys::ready_letter)).empty(); }
  std::size_t deadlines() const { return board.tasks_under(std::string(1, keys::due_letter)).size(); }
  const Task& task() const { return *board.task(TaskId{1}); }
};

}  // namespace

TEST_CASE("A hold keeps a task out of the ready index until it is lifted") {
  Held held;
  REQUIRE(held.in_ready_index());
  held.apply(TaskHeld{TaskId{1}, {HoldKind::backoff, now + seconds(5), "the account rests"}});
  CHECK_FALSE(held.in_ready_index());
  CHECK(held.deadlines() == 1);
  held.apply(TaskHeld{TaskId{1}, {HoldKind::pause, {}, "wait for me"}});
  CHECK(held.task().holds.size() == 2);
  held.apply(HoldLifted{TaskId{1}, HoldKind::backoff});
  CHECK_FALSE(held.in_ready_index());
  CHECK(held.deadlines() == 0);
  held.apply(HoldLifted{TaskId{1}, HoldKind::pause});
  CHECK(held.in_ready_index());
}

TEST_CASE("A pause is a hold, and ends with the state") {
  Held held;
  held.apply(TaskMoved{TaskId{1}, TaskState::paused, "lunch"});
  REQUIRE(held.task().holds.size() == 1);
  CHECK(held.task().holds[0].kind == HoldKind::pause);
  CHECK(held.task().holds[0].why == "lunch");
  held.apply(TaskMoved{TaskId{1}, TaskState::ready, {}});
  CHECK(held.task().holds.empty());
  CHECK(held.in_ready_index());
}

TEST_CASE("A back-off or pause that an older version wrote is read as a hold") {
  Task old;
  old.id = TaskId{1};
  old.state = TaskState::paused;
  old.reason = "lunch";
  old.not_before = now + seconds(9);
  const Result<Task> read = unseal<Task>(seal(old));
  REQUIRE(read.has_value());
  CHECK(read->not_before == WallTime{});
  REQUIRE(read->holds.size() == 2);
  CHECK(read->holds[0] == Hold{HoldKind::backoff, now + seconds(9), {}});
  CHECK(read->holds[1] == Hold{HoldKind::pause, {}, "lunch"});
}

TEST_CASE("Every event of a task makes a move of the state table, or leaves its state alone") {
  constexpr TaskId t{1};
  CHECK(state_after(TaskState::ready, TaskAwarded{t, {}, {}, {}, false, {}, {}}) == TaskState::awarded);
  CHECK_FALSE(state_after(TaskState::running, TaskAwarded{t, {}, {}, {}, false, {}, {}}));
  CHECK_FALSE(state_after(TaskState::ready, TaskStarted{t, {}}));
  CHECK_FALSE(state_after(TaskState::ready, TaskProgressed{t, {}, 0, {}}));
  CHECK(state_after(TaskState::running, TaskProgressed{t, {}, 0, {}}) == TaskState::running);
  CHECK_FALSE(state_after(TaskState::done, TaskMoved{t, TaskState::ready, {}}));
  CHECK_FALSE(state_after(TaskState::ready, TaskMoved{t, TaskState::awarded, {}}));
  CHECK_FALSE(state_after(TaskState::done, TaskReopened{t, TaskState::ready, {}}));
  CHECK(state_after(TaskState::failed, TaskReopened{t, TaskState::ready, {}}) == TaskState::ready);
  CHECK_FALSE(
      state_after(TaskState::ready, AttemptEnded{t, {}, {}, TaskState::failed, {}, false, true, {}, {}, Outage::none, {}}));
  CHECK(state_after(TaskState::done, NeedAdded{t, {}}) == TaskState::done);
}

TEST_CASE("A log that takes a task where the state table does not lead is named, not followed") {
  Held held;
  held.apply(TaskMoved{TaskId{1}, TaskState::cancelled, "no"});
  // As a damaged or foreign writer would: behind the board's back.
  const std::vector<std::string> events{seal(Event{now, TaskStarted{TaskId{1}, Epoch{1}}})};
  REQUIRE(held.store.commit(held.store.last_seq(), Term{1}, events, {}).has_value());
  const std::vector<std::string> findings = verify(held.store);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0] ==
        "the log cannot be replayed: event 3 is impossible: the state table allows no task_started for t1, "
        "which "
        "is cancelled at that point");
}
