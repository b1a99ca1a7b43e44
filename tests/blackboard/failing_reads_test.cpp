// A store whose reads fail: nothing takes that for an absent record.
#include "blackboard/board/compaction.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/format/named_keys.hpp"
#include "blackboard/query/query.hpp"
#include "tests/support/sample_board.hpp"

using namespace bidboard;

namespace {

/// The error that reading a record throws.
template <class Read>
Errc thrown_by(Read&& read) {
  try {
    read();
  } catch (const DamagedRecord& damaged) {
    INFO(damaged.error.text);
    CHECK(damaged.error.text.find("the disk does not answer") != std::string::npos);
    return damaged.error.code;
  }
  return Errc::ok;
}

std::map<std::string, std::string> content_of(FlakyStore& store) {
  std::map<std::string, std::string> content;
  REQUIRE(store
              .scan({}, {},
                    [&](std::string_view key, std::string_view value) {
                      content.emplace(key, value);
                      return true;
                    })
              .has_value());
  return content;
}

}  // namespace

TEST_CASE("a read that fails is not taken for an absent record by the board") {
  Sample sample;
  Board board(sample.store);
  sample.store.unreadable = "";
  CHECK(thrown_by([&] { board.task({1}); }) == Errc::storage);
  CHECK(thrown_by([&] { board.agent({1}); }) == Errc::storage);
  CHECK(thrown_by([&] { board.calibration({1}, "task"); }) == Errc::storage);
  CHECK(thrown_by([&] { board.agent_named("ann"); }) == Errc::storage);
  CHECK(thrown_by([&] { board.task_with_key("", "key"); }) == Errc::storage);
  CHECK(thrown_by([&] { board.blob(content_hash(sample.content)); }) == Errc::storage);
  CHECK(thrown_by([&] { board.tasks_under(keys::dependents_of({1})); }) == Errc::storage);
  CHECK(thrown_by([&] { board.holdings({1}); }) == Errc::storage);
  CHECK(thrown_by([&] { board.each<Discovery>([](auto) { return true; }); }) == Errc::storage);
  CHECK(thrown_by([&] { board.stage_blob("hash", "content"); }) == Errc::storage);
  sample.store.unreadable.reset();
  CHECK(board.task({1}) != nullptr);
  CHECK(board.agent_named("ann") == AgentId{1});
  CHECK(board.holdings({1}) == std::vector<TaskId>{{2}});
}

TEST_CASE("a board whose configuration cannot be read decides nothing until it can") {
  Sample sample;
  sample.store.unreadable = std::string(keys::config);
  Board board(sample.store);
  REQUIRE(board.damage());
  CHECK(board.damage()->code == Errc::storage);
  sample.store.unreadable.reset();
  board.discard();
  CHECK_FALSE(board.damage());
  CHECK(board.config().project == "sample");
}

TEST_CASE("a read that fails is a finding of the invariants and of verify, whatever it was for") {
  Sample sample;
  for (const auto& [key, value] : content_of(sample.store)) {
    INFO(keys::described(key));
    sample.store.unreadable = key;
    const bool is_blob = key[0] == keys::blob_letter;
    CHECK(says(verify(sample.store), "the disk does not answer"));
    if (!is_blob) CHECK(says(check_invariants(sample.store), "the disk does not answer"));
    sample.store.unreadable.reset();
  }
  sample.store.unreadable = std::string(keys::base);
  CHECK(says(check_invariants(sample.store), "the disk does not answer"));
  CHECK(replay(sample.store, {3}).error().code == Errc::storage);
  sample.store.unreadable = keys::event({2});
  CHECK(replay(sample.store, {3}).error().code == Errc::storage);
}

TEST_CASE("a query over records that cannot be read is an error, not an empty answer") {
  Sample sample;
  const std::vector<std::pair<std::string, std::string>> queries{
      {"T", "SELECT * FROM tasks"},
      {"T", "SELECT count(*) FROM tasks"},
      {"T", "SELECT title FROM tasks WHERE id = 't1'"},
      {"w", "SELECT * FROM tasks WHERE workflow = 'w1'"},
      {"B", "SELECT result FROM tasks"},
      {"A", "SELECT * FROM agents"},
      {"n", "SELECT * FROM agents WHERE name = 'ann'"},
      {"h", "SELECT running FROM agents"},
      {"U", "SELECT * FROM auctions"},
      {"L", "SELECT task FROM auctions"},
      {"v", "SELECT * FROM auctions WHERE task = 't1'"},
      {"v", "SELECT * FROM bids WHERE task = 't1'"},
      {"L", "SELECT * FROM bids"},
      {"d", "SELECT * FROM dependencies"},
      {"T", "SELECT * FROM dependencies WHERE task = 't3'"},
      {"D", "SELECT * FROM discoveries"},
      {"W", "SELECT * FROM workflows"},
      {"c", "SELECT * FROM calibration"},
      {"L", "SELECT * FROM log"},
      {"L", "SELECT * FROM log ORDER BY seq DESC"}};
  for (const auto& [letter, sql] : queries) {
    INFO(sql);
    sample.store.unreadable.reset();
    REQUIRE(Query::open(sample.store)->run(sql).has_value());
    sample.store.unreadable = letter;
    const auto answer = Query::open(sample.store)->run(sql);
    REQUIRE_FALSE(answer.has_value());
    CHECK(answer.error().code == Errc::storage);
    CHECK(answer.error().text.find("the disk does not answer") != std::string::npos);
  }
}

TEST_CASE("a compaction whose reads fail changes nothing that is needed") {
  Sample sample;
  REQUIRE(compact(sample.store).has_value());
  {
    Board board(sample.store);
    board.apply(Event{{}, DiscoveryPosted{{{2}, {1}, {1}, {1}, "kind", "title", "body", "", {}}}});
    REQUIRE(board.commit({1}).has_value());
  }
  const auto before = content_of(sample.store);
  const auto tried = [&](const std::string& unreadable) {
    sample.store.unreadable = unreadable;
    Compaction compaction(sample.store, sample.store);
    Result<bool> done = false;
    while (done && !*done) done = compaction.step();
    sample.store.unreadable.reset();
    return done;
  };
  for (const std::string& letter :
       {std::string(keys::base), std::string("T"), std::string("D"), std::string("r")}) {
    INFO(letter);
    const Result<bool> done = tried(letter);
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().code == Errc::storage);
    CHECK(content_of(sample.store) == before);
    CHECK(verify(sample.store).empty());
  }
  CHECK(tried("nothing").has_value());
  CHECK(verify(sample.store).empty());
}

TEST_CASE("a base of the log that is damaged is not taken for a board that was never compacted") {
  Sample sample;
  sample.store.replace(std::string(keys::base), "short");
  CHECK(base_of(sample.store).error().code == Errc::corrupt);
  CHECK(says(check_invariants(sample.store), "the base of the log is damaged"));
  CHECK(replay(sample.store, {1}).error().code == Errc::corrupt);
}

TEST_CASE("the keys that a message names are those of the records its ids belong to") {
  Request request;
  request.client = {5};
  Depend add;
  add.task = {3};
  add.need = {{2}, false};
  request.body = add;
  std::vector<std::string> keys;
  add_keys_named_in(request, keys);
  CHECK(keys == std::vector<std::string>{keys::client({5}), keys::task({3}), keys::task({2})});
  keys.clear();
  add_keys_named_in(Heartbeat{}, keys);
  CHECK(keys.empty());
}
