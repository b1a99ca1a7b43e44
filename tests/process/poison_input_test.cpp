// An input that crashes the core comes again from whoever sent it. Test builds have such an input
// (blackboard/sabotage.hpp).
#include <signal.h>

#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

Process serve_crashing(const TestBoard& board) {
  ProcessOptions options = board.surroundings();
  options.environment["SABOTAGE_BIDBOARD"] = "core";
  Process controller = board.start({"controller"}, options);
  REQUIRE(eventually(
      [&] {
        const auto writer = serving_writer(board.directory());
        return writer && writer->pid == controller.pid();
      },
      patience));
  return controller;
}

}  // namespace

TEST_CASE("An input that crashes the core twice is refused after the next start, and the board serves on") {
  const TestBoard board;
  Process first = serve_crashing(board);
  Process poster = board.start({"post", "crash the core"});
  CHECK(first.wait() == 128 + SIGABRT);
  Process second = serve_crashing(board);  // the poster says it again
  CHECK(second.wait() == 128 + SIGABRT);
  Process third = serve_crashing(board);
  CHECK(poster.wait() == 4);
  CHECK(contains(poster.err(), "crashed on this request twice"));
  CHECK(third.running());
  CHECK(board.must({"post", "harmless"}) == "t1");
  CHECK(contains(board.must({"doctor", "--deep"}), "whole"));
}

TEST_CASE("A controller that is killed blames nobody") {
  const TestBoard board;
  for (int i = 1; i <= 3; ++i) {
    Process controller = board.serve();
    CHECK(board.must({"post", "harmless", "--key", "k" + std::to_string(i)}) == "t" + std::to_string(i));
    controller.kill();
  }
  Process controller = board.serve();
  CHECK(board.must({"post", "harmless"}) == "t4");
}
