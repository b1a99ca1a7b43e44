// The list of kinds of records (blackboard/format/record_kinds.hpp): what is derived from it holds for every
// line.
#include "blackboard/format/record_kinds.hpp"

#include <filesystem>
#include <map>
#include <set>

#include "blackboard/board/board.hpp"
#include "blackboard/board/verify.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "tests/support/sample_board.hpp"
#include "tests/support/temp_dir.hpp"

using namespace bidboard;

namespace {

struct MadeUp {
  MessageId id;
  std::string text;
  bool operator==(const MadeUp&) const = default;
  BB_FIELDS(id, text)
};
using MadeUpKind = RecordKind<MadeUp, MessageId, 'm', "made-up record">;
using LongerList = RecordList<RecordKind<Config, TheOnlyOne, 'X', "configuration">, MadeUpKind>;

std::vector<std::string> keys_under(const Snapshot& snapshot, std::string_view prefix) {
  std::vector<std::string> found;
  const Result<void> read = snapshot.scan(prefix, {}, [&](std::string_view key, std::string_view) {
    found.emplace_back(key);
    return true;
  });
  REQUIRE(read.has_value());
  return found;
}

}  // namespace

TEST_CASE("every letter of a key means one thing") {
  std::map<char, std::string> meaning;
  const auto add = [&](char letter, std::string_view name) {
    INFO(letter << " is " << name);
    CHECK_FALSE(name.empty());
    CHECK(meaning.try_emplace(letter, name).second);
    CHECK(keys::name_of(letter) == name);
  };
  for_each_kind([&](auto kind) { add(kind.letter, kind.name); });
  for (const keys::EntryKind& kind : keys::index_kinds) add(kind.letter, kind.name);
  for (const keys::EntryKind& kind : keys::other_kinds) add(kind.letter, kind.name);
}

TEST_CASE("every key of a kept board is described, and its value decodes") {
  const TempDir folder;
  std::filesystem::copy(std::string(BIDBOARD_SOURCE_DIR) + "/tests/data/board-1/data.mdb", folder.path());
  const auto snapshot = open_snapshot(folder.path());
  REQUIRE(snapshot.has_value());
  std::set<char> letters;
  const Result<void> read = (*snapshot)->scan({}, {}, [&](std::string_view key, std::string_view value) {
    letters.insert(key[0]);
    const std::string words = keys::described(key);
    INFO(words);
    CHECK(words.starts_with(keys::name_of(key[0])));
    CHECK(keys::name_of(key[0]) != "unknown entry");
    CHECK(check_entry(key, value).has_value());
    return true;
  });
  REQUIRE(read.has_value());
  CHECK(letters.size() > 10);
}

TEST_CASE("a damaged record of any kind is found by doctor's decoding, by the invariants and by verify") {
  for_each_kind([](auto kind) {
    Sample board;
    const std::vector<std::string> keys = keys_under(board.store, std::string(1, kind.letter));
    INFO(kind.name);
    REQUIRE_FALSE(keys.empty());
    CHECK(keys::described(keys.front()).starts_with(kind.name));
    const std::string whole(board.store.get(keys.front()).value().value());
    REQUIRE(check_entry(keys.front(), whole).has_value());
    const std::string damaged = whole.substr(0, whole.size() - 1) + "?";
    board.store.replace(keys.front(), damaged);
    CHECK(check_entry(keys.front(), damaged).error().code == Errc::corrupt);
    CHECK(says(check_invariants(board.store), keys::described(keys.front()) + " cannot be read"));
    CHECK(says(verify(board.store), keys::described(keys.front()) + " cannot be read"));
    board.store.replace(keys.front(), std::nullopt);
    CHECK(says(verify(board.store), keys::described(keys.front()) + " is missing"));
  });
}

TEST_CASE("a record of any kind is read back, and gone after a commit that failed") {
  FlakyStore store;
  Board board(store);
  const std::string content(2'000, 'c');
  const auto count = [&]<class Record>(std::type_identity<Record>) {
    std::size_t found = 0;
    board.each<Record>([&](const Record* record) {
      REQUIRE(record);
      CHECK(*board.get<Record>(keys::id_of(*record)) == *record);
      ++found;
      return true;
    });
    return found;
  };
  const auto check_all = [&](bool there) {
    for_each_kind([&](auto kind) {
      INFO(kind.name << (there ? " is there" : " is not there"));
      if constexpr (kind.cached)
        CHECK((count(std::type_identity<typename decltype(kind)::Record>()) > 0) == there);
    });
    CHECK((board.config() == Config{}) == !there);
    CHECK((board.counters() == Counters{}) == !there);
  };
  apply_sample(board, content);
  check_all(true);
  store.commits_to_fail = 1;
  REQUIRE_FALSE(board.commit({1}).has_value());
  check_all(false);
  REQUIRE(board.commit({1}).has_value());
  CHECK(keys_under(store, "").empty());
  apply_sample(board, content);
  REQUIRE(board.commit({1}).has_value());
  check_all(true);
  Board again(store);
  CHECK(again.config() == board.config());
  CHECK(verify(store).empty());
}

TEST_CASE("records that were not committed yet are among all of their kind, in order") {
  Sample sample;
  Board board(sample.store);
  const auto ids = [&] {
    std::vector<std::uint64_t> found;
    board.each<Discovery>([&](const Discovery* record) {
      found.push_back(record ? record->id.value : 0);
      return found.size() < 3;
    });
    return found;
  };
  CHECK(ids() == std::vector<std::uint64_t>{1});
  for (const std::uint64_t id : {4, 2, 3})
    board.apply(Event{{}, DiscoveryPosted{{{id}, {1}, {1}, {1}, "kind", "title", "body", "", {}}}});
  CHECK(ids() == std::vector<std::uint64_t>{1, 2, 3});
  board.discard();
  CHECK(ids() == std::vector<std::uint64_t>{1});
  sample.store.replace(keys::discovery({1}), "rubbish");
  CHECK(ids() == std::vector<std::uint64_t>{0});
}

TEST_CASE("a further kind of record gets its key, its name and its cache from its line") {
  static_assert(std::is_same_v<KindOf<MadeUp, LongerList>, MadeUpKind>);
  std::string names;
  for_each_kind<LongerList>([&](auto kind) { names += std::string(kind.name) + ";"; });
  CHECK(names == "configuration;made-up record;");
  CHECK(keys::of_kind<MadeUpKind>({7}) == std::string("m\0\0\0\0\0\0\0\7", 9));

  RecordCaches<LongerList> caches;
  caches.of<MadeUp>().put({7}, {{7}, "text"});
  std::vector<std::string> changed;
  const auto changes = [&] {
    changed.clear();
    caches.for_each([&](auto kind, auto& cache) {
      cache.for_each_change(
          [&](const auto& id, const auto*) { changed.push_back(keys::of_kind<decltype(kind)>(id)); });
    });
    return changed.size();
  };
  CHECK(changes() == 1);
  CHECK(changed.front() == keys::of_kind<MadeUpKind>({7}));
  caches.for_each([](auto, auto& cache) { cache.forget_changes(); });
  CHECK(changes() == 0);
  CHECK_FALSE(caches.of<MadeUp>().known({7}));
}
