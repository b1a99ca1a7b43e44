// A board that reaches its size limit.
#include "blackboard/board/compaction.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace bidboard;

namespace {

/// A node over a small store in a folder, asked by one operator.
class SmallBoard {
 public:
  SmallBoard(const std::string& folder, std::size_t bytes_max) {
    auto opened = LmdbStore::open(folder, {.bytes_max = bytes_max, .create = true});
    REQUIRE(opened.has_value());
    store = std::move(*opened);
    ControllerOptions options;
    options.term = store->last_term().next();
    options.secret_key = std::string(32, 'k');
    options.coordinators = make_coordinator;
    node = std::make_unique<Node>(*store, options);
    REQUIRE(node->start(now()).has_value());
  }

  Reply ask(RequestBody body, const std::string& as = {}) {
    Request request{{}, 1, as, {}, std::move(body)};
    const Committed done = node->process({FromPeer{PeerId{1}, std::move(request)}}, now());
    REQUIRE(done.sends.size() == 1);
    return std::get<Reply>(done.sends.front().message);
  }
  /// Posts until a post is refused; returns how many were accepted.
  std::uint64_t fill() {
    Post post;
    post.tasks.resize(1);
    post.tasks[0].title = "one of many";
    post.tasks[0].body = std::string(10'000, 'b');
    std::uint64_t taken = 0;
    while (true) {
      const Reply reply = ask(post);
      if (reply.code != Errc::ok) {
        INFO(reply.text);
        CHECK(reply.code == Errc::storage);
        return taken;
      }
      REQUIRE(++taken < 10'000);
    }
  }

  std::unique_ptr<LmdbStore> store;
  std::unique_ptr<Node> node;

 private:
  Now now() {
    time_ = time_ + seconds(1);
    return {time_, WallTime{time_.us}};
  }
  Instant time_{};
};

}  // namespace

TEST_CASE("a board near its size limit refuses posts and lets tasks end") {
  const TempDir folder;
  SmallBoard board(folder.path(), 4 << 20);
  REQUIRE(board.fill() > 50);
  REQUIRE(board.ask(Claim{{1}, {}}, "ann").code == Errc::ok);
  CHECK(board.ask(Finish{{1}, {}, true, std::string(3'000, 'r'), 0, 0}, "ann").code == Errc::ok);
  CHECK(board.node->board().task({1})->state == TaskState::done);
}

TEST_CASE("a full board answers `storage`, can be read, and accepts posts again once it is larger") {
  const TempDir folder;
  std::uint64_t done = 0;
  std::uint64_t taken = 0;
  {
    SmallBoard board(folder.path(), 4 << 20);
    taken = board.fill();
    Errc code = Errc::ok;
    while (code == Errc::ok && done < taken) {
      REQUIRE(board.ask(Claim{{done + 1}, {}}, "ann").code == Errc::ok);
      const std::string result(20'000, static_cast<char>('a' + done % 26));
      code = board.ask(Finish{{done + 1}, {}, true, result + std::to_string(done), 0, 0}, "ann").code;
      done += code == Errc::ok;
    }
    CHECK(code == Errc::storage);
    CHECK(board.node->board().task({done + 1})->state == TaskState::awarded);
    CHECK(verify(*board.store).empty());
  }
  SmallBoard larger(folder.path(), 8 << 20);
  CHECK(larger.ask(Finish{{done + 1}, {}, true, "late", 0, 0}, "ann").code == Errc::ok);
  CHECK(larger.ask(Post{{larger.node->board().task({1})->spec}, {}, {}, {}, {}}).code == Errc::ok);
}

TEST_CASE("space freed by compaction can be used again") {
  const TempDir folder;
  SmallBoard board(folder.path(), 4 << 20);
  Post post;
  post.tasks.resize(1);
  post.tasks[0].title = "talkative";
  REQUIRE(board.ask(post).code == Errc::ok);
  REQUIRE(board.ask(Claim{{1}, {}}, "ann").code == Errc::ok);
  while (board.store->fullness() < nearly_full)
    REQUIRE(board.ask(Progress{{1}, {}, one / 2, std::string(2'000, 'p')}, "ann").code == Errc::ok);
  REQUIRE(compact(*board.store).has_value());
  CHECK(board.store->fullness() < nearly_full);
  CHECK(board.fill() > 50);
  CHECK(verify(*board.store).empty());
}

TEST_CASE("a board too full to be compacted stays as it was") {
  const TempDir folder;
  SmallBoard board(folder.path(), 4 << 20);
  board.fill();
  const std::int64_t before = board.store->fullness();
  const Result<Compacted> done = compact(*board.store);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == Errc::storage);
  CHECK(board.store->fullness() <= before + one / 50);
  CHECK(verify(*board.store).empty());
  CHECK(board.ask(Claim{{1}, {}}, "ann").code == Errc::ok);
}
