// A client repeats an input that crashes the core. Test builds have such an input
// (blackboard/checks/sabotage.hpp).
#include <signal.h>

#include "blackboard/fmt.hpp"
#include "runtime/net/client.hpp"
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

/// A connection on which the request was sent to the present controller.
std::unique_ptr<Connection> said_to(const TestBoard& board, const Request& request) {
  const auto writer = serving_writer(board.directory());
  REQUIRE(writer);
  Result<std::unique_ptr<Connection>> connection = Connection::open(writer->endpoint);
  REQUIRE(connection.has_value());
  REQUIRE(eventually([&] { return (*connection)->wait(seconds(1)).connected; }, patience));
  REQUIRE((*connection)->send(request));
  return std::move(*connection);
}

}  // namespace

TEST_CASE("An input that crashes the core twice is refused after the next start, and the board goes on") {
  const TestBoard board;
  Post post;
  post.tasks.resize(1);
  post.tasks[0].title = "crash the core";
  const Request request{ClientId{7}, 1, {}, {}, post};
  for (int crash = 1; crash <= 2; ++crash) {
    Process controller = serve_crashing(board);
    const auto connection = said_to(board, request);
    CHECK(controller.wait() == 128 + SIGABRT);
  }
  Process controller = serve_crashing(board);
  const auto connection = said_to(board, request);
  std::optional<Reply> reply;
  CHECK(eventually(
      [&] {
        for (const Message& message : connection->wait(seconds(1)).messages)
          if (const auto* answer = std::get_if<Reply>(&message)) reply = *answer;
        return reply.has_value();
      },
      patience));
  REQUIRE(reply);
  CHECK(reply->code == Errc::refused);
  CHECK(contains(reply->text, "crashed twice on this request"));
  CHECK(board.must({"post", "harmless"}) == "t1");
  CHECK(contains(board.must({"doctor", "--deep"}), "intact"));
}

TEST_CASE("A controller that is killed suspects no input") {
  const TestBoard board;
  for (int i = 1; i <= 3; ++i) {
    Process controller = board.serve();
    CHECK(board.must({"post", "harmless", "--key", fmt::format("k{}", i)}) == fmt::format("t{}", i));
    controller.kill();
  }
  Process controller = board.serve();
  CHECK(board.must({"post", "harmless"}) == "t4");
}
