// Results that come after their award is over: a limited number is kept, and keeping one costs what the task
// has, not what the board has.
#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/task_limits.hpp"
#include "tests/support/asked.hpp"

using namespace bidboard;

namespace {

struct Late : Asked {
  std::uint64_t tasks = 0;

  /// A task that ann has done with the result "done".
  TaskId done_task() {
    REQUIRE(ask(post_of("work")).code == Errc::ok);
    const TaskId task{++tasks};
    REQUIRE(ask(Claim{task, {}}, "ann").code == Errc::ok);
    REQUIRE(ask(Finish{task, {}, true, "done"}, "ann").code == Errc::ok);
    return task;
  }
  Reply finish_late(TaskId task, const std::string& result) {
    return ask(Finish{task, {1}, true, result}, "ann");
  }
  std::vector<Discovery> kept() {
    std::vector<Discovery> all;
    node->board().each<Discovery>([&](const Discovery* found) {
      all.push_back(*found);
      return true;
    });
    return all;
  }
  void check_board() {
    CHECK(check_invariants(store).empty());
    CHECK(verify(store).empty());
  }
};

}  // namespace

TEST_CASE("keeping a late result reads those of its task only") {
  Late board;
  const auto reads_of_one_more = [&] {
    const TaskId task = board.done_task();
    board.finish_late(task, "first");
    board.store.gets = board.store.visits = 0;
    CHECK(board.finish_late(task, "second").code == Errc::stale);
    return board.store.gets + board.store.visits;
  };
  const std::size_t few = reads_of_one_more();
  for (int i = 0; i < 50; ++i) board.finish_late(board.done_task(), "late");
  CHECK(reads_of_one_more() == few);
  CHECK(board.kept().size() == 54);
  board.check_board();
}

TEST_CASE("of a task's late results the first eight are kept, and it is said once that the others are not") {
  Late board;
  const TaskId task = board.done_task();
  for (std::size_t i = 0; i < max_late_results; ++i) {
    const std::string result = fmt::format("result {}", i);
    CHECK(board.finish_late(task, result).text == "the award of t1 is over: it is done");
    board.finish_late(task, result);  // again: kept once
  }
  CHECK(board.kept().size() == max_late_results);
  for (const char* result : {"too many", "another"})
    CHECK(
        board.finish_late(task, result).text ==
        "the award of t1 is over: it is done; the result is not kept either, since the task has as many late "
        "ones as are kept (8, or 16 MB together)");
  CHECK(board.finish_late(task, "result 3").text == "the award of t1 is over: it is done");
  const std::vector<Discovery> all = board.kept();
  REQUIRE(all.size() == max_late_results + 1);
  CHECK(all.back().kind == "late_results_full");
  CHECK(all.back().title ==
        "results of t1 that come after their award is over are not kept any more: there are 8 such results");
  CHECK(all.back().body.empty());
  board.check_board();
  CHECK(board.finish_late(board.done_task(), "of another task").text ==
        "the award of t2 is over: it is done");
  CHECK(board.kept().size() == max_late_results + 2);
}

TEST_CASE("a task's late results are limited in bytes as well") {
  Late board;
  const TaskId task = board.done_task();
  const std::string half(max_late_result_bytes / 2, 'x');
  board.finish_late(task, "little");
  board.finish_late(task, half);
  CHECK(board.kept().size() == 2);
  board.finish_late(task, half.substr(1));
  REQUIRE(board.kept().size() == 3);
  CHECK(board.kept().back().kind == "late_results_full");
}

TEST_CASE("a change of the order reads the tasks that are not over, and only looks at the others") {
  Late board;
  for (int i = 0; i < 50; ++i) board.done_task();
  REQUIRE(board.ask(post_of("open")).code == Errc::ok);
  board.restart();  // nothing is cached
  const auto gets_when = [&](const char* strategy) {
    Config config = board.node->board().config();
    config.strategy = strategy;
    board.store.gets = 0;
    CHECK(board.ask(Configure{config}).code == Errc::ok);
    return board.store.gets;
  };
  CHECK(gets_when("fifo") < 20);
  CHECK(board.node->board().task({51})->bottom_level == 0);
  CHECK(gets_when("auction") < 20);
  CHECK(board.node->board().task({51})->bottom_level > 0);
}
