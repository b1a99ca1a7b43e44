// One contract, two stores.
#include <filesystem>

#include "blackboard/store/lmdb_store.hpp"
#include "blackboard/store/memory_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"

using namespace bidboard;

namespace {

struct InMemory {
  MemoryStore store;
  Store& get() { return store; }
};
struct OnDisk {
  TempDir directory;
  std::unique_ptr<LmdbStore> store = LmdbStore::open(directory.path() + "/board", {.create = true}).value();
  Store& get() { return *store; }
};

std::vector<std::string> keys_under(const Snapshot& snapshot, std::string_view prefix,
                                    std::string_view from = {}) {
  std::vector<std::string> found;
  snapshot.scan(prefix, from, [&](std::string_view key, std::string_view) {
    found.emplace_back(key);
    return true;
  });
  return found;
}

}  // namespace

TEMPLATE_TEST_CASE("a commit is all there or not there at all", "", InMemory, OnDisk) {
  TestType holder;
  Store& store = holder.get();
  const std::vector<std::string> events{"one", "two"};
  const std::vector<Put> puts{{"ka", "1"}, {"kb", "2"}};
  REQUIRE(store.commit({0}, {1}, events, puts).has_value());
  CHECK(store.last_seq() == Seq{2});
  CHECK(store.get("ka") == "1");

  SECTION("behind an outdated sequence number it is refused") {
    const std::vector<Put> late{{"ka", "late"}};
    CHECK(store.commit({1}, {1}, events, late).error().code == Errc::conflict);
    CHECK(store.get("ka") == "1");
    CHECK(store.last_seq() == Seq{2});
  }
  SECTION("an older term is refused, a newer one is kept") {
    REQUIRE(store.commit({2}, {5}, {}, puts).has_value());
    CHECK(store.last_term() == Term{5});
    CHECK(store.commit({2}, {4}, {}, puts).error().code == Errc::conflict);
  }
  SECTION("a key can be deleted, also one that is not there") {
    const std::vector<Put> deletions{{"ka", std::nullopt}, {"nothing", std::nullopt}};
    REQUIRE(store.commit({2}, {1}, {}, deletions).has_value());
    CHECK_FALSE(store.get("ka").has_value());
    CHECK(store.get("kb") == "2");
  }
}

TEMPLATE_TEST_CASE("a scan visits a prefix in byte order", "", InMemory, OnDisk) {
  TestType holder;
  Store& store = holder.get();
  const std::vector<Put> puts{{"b\xff", "x"}, {"ba", "x"}, {"bb", "x"}, {"c", "x"}, {"a", "x"}, {"b", "x"}};
  REQUIRE(store.commit({0}, {1}, {}, puts).has_value());
  CHECK(keys_under(store, "b") == std::vector<std::string>{"b", "ba", "bb", "b\xff"});
  CHECK(keys_under(store, "b", "bb") == std::vector<std::string>{"bb", "b\xff"});
  CHECK(keys_under(store, "z").empty());
  int visited = 0;
  store.scan("b", {}, [&](auto, auto) { return ++visited < 2; });
  CHECK(visited == 2);
}

TEMPLATE_TEST_CASE("binary values and long values come back as they were", "", InMemory, OnDisk) {
  TestType holder;
  Store& store = holder.get();
  const std::string blob(300'000, '\0');
  const std::vector<Put> puts{{std::string("k\0k", 3), blob}};
  REQUIRE(store.commit({0}, {1}, {}, puts).has_value());
  CHECK(store.get(std::string_view("k\0k", 3)) == blob);
}

TEST_CASE("what was committed is there after opening again, and readers see one moment") {
  TempDir directory;
  const std::string path = directory.path() + "/board";
  const std::vector<Put> first{{"k", "1"}};
  {
    const auto store = LmdbStore::open(path, {.create = true}).value();
    REQUIRE(store->commit({0}, {3}, std::vector<std::string>{"e"}, first).has_value());
  }
  const auto snapshot = open_snapshot(path).value();
  CHECK(snapshot->get("k") == "1");
  CHECK(snapshot->last_seq() == Seq{1});
  CHECK(LmdbStore::open(path).error().code == Errc::conflict);  // twice in one process
}

TEST_CASE("a missing board is named, a full one refuses and goes on") {
  TempDir directory;
  const std::string path = directory.path() + "/board";
  CHECK(LmdbStore::open(path).error().code == Errc::not_found);
  const auto store = LmdbStore::open(path, {.map_bytes = 1 << 20, .create = true}).value();
  const std::vector<Put> too_much{{"k", std::string(2 << 20, 'x')}};
  CHECK(store->commit({0}, {1}, {}, too_much).error().code == Errc::storage);
  const std::vector<Put> little{{"k", "x"}};
  CHECK(store->commit({0}, {1}, {}, little).has_value());
  CHECK(store->get("k") == "x");
}
