// A node over a store whose reads fail and whose reads can be fetched ahead; drivers over a store of another
// kind.
#include <poll.h>

#include <algorithm>

#include "blackboard/store/lmdb_store.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/drivers/compaction_run.hpp"
#include "tests/support/asked.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flaky_store.hpp"
#include "tests/support/refused_headers.hpp"
#include "tests/support/temp_dir.hpp"

using namespace bidboard;

namespace {

/// A board's store that the driver owns and the test keeps.
class Borrowed final : public Store {
 public:
  explicit Borrowed(Store& store) : store_(store) {}
  Result<void> commit(Seq seq, Term term, std::span<const std::string> events,
                      std::span<const Put> puts) override {
    return store_.commit(seq, term, events, puts);
  }
  Result<std::optional<std::string_view>> get(std::string_view key) const override { return store_.get(key); }
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override {
    return store_.scan(prefix, from, visit);
  }
  Seq last_seq() const override { return store_.last_seq(); }
  Term last_term() const override { return store_.last_term(); }
  std::int64_t fullness() const override { return store_.fullness(); }
  Result<std::unique_ptr<Snapshot>> snapshot() const override { return store_.snapshot(); }

 private:
  Store& store_;
};

}  // namespace

TEST_CASE("a failed read is answered with `storage`, changes nothing, and the node goes on") {
  Asked board;
  REQUIRE(board.ask(post_of("first")).code == Errc::ok);
  board.restart();  // nothing is cached
  board.store.unreadable = "T";
  const Reply failed = board.ask(Claim{{1}, {}}, "ann");
  CHECK(failed.code == Errc::storage);
  CHECK(failed.text == "record task t1: the disk does not answer");
  board.store.unreadable.reset();
  CHECK(board.ask(Claim{{1}, {}}, "ann").code == Errc::ok);
  CHECK(board.node->board().task({1})->epoch == Epoch{1});
}

TEST_CASE("a log that cannot be read is answered with `storage`, not with an empty page") {
  Asked board;
  board.store.unreadable = "L";
  CHECK(board.ask(ReadLog{{1}, 10}).code == Errc::storage);
  board.store.unreadable = std::string(keys::base);
  CHECK(board.ask(ReadLog{{1}, 10}).code == Errc::storage);
  board.store.unreadable.reset();
  CHECK(board.ask(ReadLog{{1}, 10}).code == Errc::ok);
}

TEST_CASE("a node prefetches what its inputs name, once per batch") {
  Asked board;
  REQUIRE(board.ask(post_of("first")).code == Errc::ok);
  board.store.prefetched.clear();
  const auto claim = [](std::uint64_t task) {
    return FromPeer{PeerId{1}, Request{{}, task, "ann", {}, Claim{{task}, {}}}};
  };
  board.node->process({claim(1), claim(7)}, board.now());
  CHECK(board.store.prefetched == std::vector<std::vector<std::string>>{{keys::task({1}), keys::task({7})}});
}

TEST_CASE("one request uses the store that its caller opens") {
  const TempDir folder;
  const Result<BoardDirectory> board = make_board_folder(folder.path());
  REQUIRE(board.has_value());
  FlakyStore store;
  CallOptions options;
  options.open_store = [&](const std::string& directory,
                           const StoreOptions&) -> Result<std::unique_ptr<Store>> {
    CHECK(directory == board->path);
    return std::make_unique<Borrowed>(store);
  };
  const Result<Posted> posted = call_for<Posted>(*board, post_of("first"), options);
  REQUIRE(posted.has_value());
  CHECK(store.get(keys::task({1})).value().has_value());
  options.as = "ann";
  store.unreadable = "T";
  const auto claimed = call(*board, Claim{{1}, {}}, options);
  REQUIRE_FALSE(claimed.has_value());
  CHECK(claimed.error().code == Errc::storage);
  options.open_store = [](const std::string&, const StoreOptions&) -> Result<std::unique_ptr<Store>> {
    return fail(Errc::unavailable, "the server is down");
  };
  CHECK(call(*board, post_of("second"), options).error().text == "the server is down");
}

TEST_CASE("a running compaction reports the failed read") {
  Asked board;
  REQUIRE(board.ask(post_of("first")).code == Errc::ok);
  CompactionRun run(board.store);
  run.ask({PeerId{1}, 9});
  board.store.unreadable = keys::base_of('0', {});
  std::vector<Send> sends;
  while (sends.empty())
    if (run.has_work()) sends = run.work();
  const Reply& reply = std::get<Reply>(sends.front().message);
  CHECK(reply.number == 9);
  CHECK(reply.code == Errc::storage);
  CHECK(reply.text == "the disk does not answer");
}

TEST_CASE("a commit that fails during a compaction ends the compaction, not the controller") {
  const TempDir folder;
  const auto store = LmdbStore::open(folder.path() + "/board", {.create = true}).value();
  AskedOver<LmdbStore> board(*store);
  REQUIRE(board.ask(post_of("first")).code == Errc::ok);
  CompactionRun run(*store);
  run.ask({PeerId{1}, 9});
  SECTION("while the board is verified") {}
  SECTION("while it is copied") {
    pollfd verified{run.descriptor(), POLLIN, 0};
    REQUIRE(::poll(&verified, 1, 30'000) == 1);
    CHECK(run.work().empty());
  }
  REQUIRE(refuse_headers(folder.path() + "/board/data.mdb"));
  CHECK(board.ask(post_of("second")).code == Errc::storage);
  const Now later = board.now();
  CHECK(board.node->next_wakeup(later) > later.mono);
  REQUIRE(run.has_work());
  const std::vector<Send> sends = run.work();
  REQUIRE(sends.size() == 1);
  CHECK(std::get<Reply>(sends.front().message).code == Errc::storage);
  CHECK(board.ask(post_of("third")).code == Errc::ok);
  CHECK(board.node->board().task({2})->spec.title == "third");
  run.ask({PeerId{1}, 10});
  std::vector<Send> done;
  while (done.empty())
    if (run.has_work()) done = run.work();
  CHECK(std::get<Reply>(done.front().message).code == Errc::ok);
}
