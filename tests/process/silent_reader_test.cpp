// A peer that does not read costs the controller little memory, and delays no other.
#include <optional>

#include "runtime/drivers/call.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/memory.hpp"
#include "tests/support/silent_peer.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

const std::int64_t memory_max_kb = 80'000 + sanitizer_kb();

std::vector<TaskSpec> heavy_tasks(std::size_t count) {
  TaskSpec spec;
  spec.title = "heavy";
  spec.body = std::string(2'000, 'b');
  return std::vector<TaskSpec>(count, spec);
}

}  // namespace

TEST_CASE("A follower of the feed that never reads costs bounded memory and delays no other") {
  const auto memory_after_posting = [](bool followed) {
    const TestBoard board;
    const Process controller = board.serve();
    std::optional<SilentPeer> follower;
    if (followed) follower.emplace(SilentPeer::follower(serving_writer(board.directory())->feed));
    for (int i = 0; i < 240; ++i) board.post(heavy_tasks(250));  // 120 MB of feed
    return resident_kb(controller.pid());
  };
  const std::int64_t alone = memory_after_posting(false);
  const std::int64_t followed = memory_after_posting(true);
  INFO("alone " << alone << " KB, followed " << followed << " KB");
  CHECK(followed - alone < memory_max_kb);
}

TEST_CASE("A client that never reads its replies costs bounded memory, delays no other, and is cut off") {
  const TestBoard board;
  const Process controller = board.serve();
  for (int i = 0; i < 4; ++i) board.post(heavy_tasks(250));
  SilentPeer client = SilentPeer::client(serving_writer(board.directory())->endpoint);
  const std::int64_t before = resident_kb(controller.pid());
  Request request;
  request.body = ReadLog{Seq{1}, 10'000};  // half a megabyte each
  const auto cut = [&] { return contains(controller.err() + controller.out(), "cut off: it does not read"); };
  for (int i = 0; i < 4'000; ++i) {
    request.number = static_cast<std::uint64_t>(i) + 1;
    bool said = false;
    REQUIRE(eventually([&] { return (said = client.say(request)) || cut(); }, patience));
    if (!said) break;
    if (i % 1000 == 0) CHECK(board.must({"post", "meanwhile"}).starts_with("t"));
  }
  CHECK(eventually(cut, patience));
  CHECK(board.must({"post", "afterwards"}).starts_with("t"));
  INFO("from " << before << " KB to " << resident_kb(controller.pid()) << " KB");
  CHECK(resident_kb(controller.pid()) - before < memory_max_kb);
}
