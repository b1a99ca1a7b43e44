#include "blackboard/board/compaction.hpp"

#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/memory_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/flaky_store.hpp"

using namespace bidboard;

namespace {

constexpr Term term{3};
constexpr std::uint64_t many = 3'000;  // more than one commit of a compaction holds

void apply(Board& board, EventBody body) { board.apply(Event{WallTime{1'000}, std::move(body)}); }

/// Tasks from `first` to `last`, the first of them awarded.
void fill(Store& store, std::uint64_t first, std::uint64_t last) {
  Board board(store);
  apply(board, TermStarted{term, 7});
  Agent agent;
  agent.id = {1};
  agent.profile.name = "ann";
  apply(board, AgentRegistered{agent});
  for (std::uint64_t id = first; id <= last; ++id) {
    Task task;
    task.id = {id};
    task.state = TaskState::ready;
    apply(board, TaskPosted{task});
  }
  Auction decision;
  decision.id = {board.counters().auction.value + 1};
  apply(board, TaskAwarded{{first}, {1}, {1}, "0123456789abcdef", true, WallTime{9'000}, decision});
  REQUIRE(board.commit(term).has_value());
}

std::uint64_t events_in(const Snapshot& snapshot) {
  std::uint64_t events = 0;
  const Result<void> read =
      snapshot.scan(std::string(1, keys::log_letter), {}, [&](std::string_view, std::string_view) {
        ++events;
        return true;
      });
  REQUIRE(read.has_value());
  return events;
}

/// Counts the entries that were looked at.
class CountingStore final : public MemoryStore {
 public:
  Result<void> scan(std::string_view prefix, std::string_view from, const Visitor& visit) const override {
    return MemoryStore::scan(prefix, from, [&](std::string_view key, std::string_view value) {
      ++looked_at;
      return visit(key, value);
    });
  }
  mutable std::size_t looked_at = 0;
};

void check_whole(const Snapshot& snapshot) {
  CHECK(check_invariants(snapshot) == std::vector<std::string>{});
  CHECK(verify(snapshot) == std::vector<std::string>{});
}

}  // namespace

TEST_CASE("a compacted board keeps its records and the reasons of its awards, and goes on") {
  FlakyStore store;
  fill(store, 1, many);
  const Seq before = store.last_seq();
  const Result<Compacted> done = compact(store);
  INFO((done ? "" : done.error().text));
  REQUIRE(done.has_value());
  CHECK(done->base.seq == before);
  CHECK(done->base.term == term);
  CHECK(done->removed == many + 2);
  CHECK(done->kept == 1);
  CHECK(events_in(store) == 1);
  check_whole(store);

  fill(store, many + 1, many + 2);
  check_whole(store);
  CHECK(events_in(store) == 1 + 5);
  CHECK(replay(store, {before.value - 1}).error().code == Errc::not_found);
  const auto then = replay(store, before);
  REQUIRE(then.has_value());
  CHECK(Board(**then).counters().task == TaskId{many});

  const Result<Compacted> again = compact(store);
  REQUIRE(again.has_value());
  CHECK(again->removed == 4);
  CHECK(again->kept == 2);
  check_whole(store);
  CHECK(Board(store).task({many + 2}) != nullptr);
}

TEST_CASE("a compaction that is cut off anywhere leaves a whole board, and the next one completes it") {
  for (int commits = 0;; ++commits) {
    FlakyStore store;
    fill(store, 1, many);
    REQUIRE(compact(store).has_value());
    fill(store, many + 1, 2 * many);
    store.commits_before_failing = commits;
    store.commits_to_fail = 1;
    const Result<Compacted> done = compact(store);
    if (done) {
      CHECK(commits > 8);
      break;
    }
    INFO("after " << commits << " commits");
    CHECK(done.error().code == Errc::storage);
    check_whole(store);
    REQUIRE(compact(store).has_value());
    check_whole(store);
    CHECK(events_in(store) == 2);
  }
}

TEST_CASE("a serving controller never waited while a compaction looked at all auctions at once") {
  CountingStore store;
  std::vector<Put> auctions;
  for (std::uint64_t id = 1; id <= 25'000; ++id) {
    std::string seq;
    append_big_endian(seq, id);
    auctions.push_back({keys::auction({id}), seq});
  }
  REQUIRE(store.commit({}, term, {}, auctions).has_value());
  Compaction compaction(store, store);
  for (bool done = false; !done;) {
    store.looked_at = 0;
    const Result<bool> step = compaction.step();
    REQUIRE(step.has_value());
    done = *step;
    CHECK(store.looked_at <= 10'001);
  }
}

TEST_CASE("a damaged board is not compacted, for its log is still needed") {
  FlakyStore store;
  fill(store, 1, 3);
  Task task = unseal<Task>(store.get(keys::task({2})).value().value()).value();
  task.attempts = 7;
  store.replace(keys::task({2}), seal(task));
  const std::uint64_t events = events_in(store);
  const Result<Compacted> done = compact(store);
  REQUIRE_FALSE(done.has_value());
  CHECK(done.error().code == Errc::corrupt);
  CHECK(events_in(store) == events);
  CHECK_FALSE(base_of(store).value().has_value());
}

TEST_CASE("a base copy that was changed is found by the proof") {
  FlakyStore store;
  fill(store, 1, 3);
  REQUIRE(compact(store).has_value());
  const std::string key = keys::base_of('0', keys::task({2}));
  REQUIRE(store.get(key).value().has_value());
  store.replace(key, std::nullopt);
  CHECK_FALSE(verify(store).empty());
}
