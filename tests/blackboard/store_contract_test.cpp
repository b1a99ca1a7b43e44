// One contract, two stores.
#include <filesystem>
#include <fstream>

#include "blackboard/store/lmdb_store.hpp"
#include "blackboard/store/memory_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/refused_headers.hpp"
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
  const Result<void> read = snapshot.scan(prefix, from, [&](std::string_view key, std::string_view) {
    found.emplace_back(key);
    return true;
  });
  REQUIRE(read.has_value());
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
    CHECK_FALSE(store.get("ka").value().has_value());
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
  REQUIRE(store.scan("b", {}, [&](auto, auto) { return ++visited < 2; }).has_value());
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

TEMPLATE_TEST_CASE("views live until the next commit, whatever is read meanwhile", "", InMemory, OnDisk) {
  TestType holder;
  Store& store = holder.get();
  std::vector<Put> puts;
  for (int i = 0; i < 200; ++i) puts.push_back({"k" + std::to_string(1000 + i), std::string(100, 'v')});
  puts.push_back({"first", "1"});
  REQUIRE(store.commit({0}, {1}, {}, puts).has_value());
  const std::string_view first = store.get("first").value().value();
  std::vector<std::pair<std::string_view, std::string_view>> seen;
  const Result<void> read = store.scan("k", {}, [&](std::string_view key, std::string_view value) {
    seen.emplace_back(key, value);
    CHECK(store.get("first").value() == "1");  // within a scan
    CHECK(keys_under(store, "first").size() == 1);
    return true;
  });
  REQUIRE(read.has_value());
  CHECK_FALSE(store.get("absent").value().has_value());
  CHECK(first == "1");
  REQUIRE(seen.size() == 200);
  for (std::size_t i = 0; i < seen.size(); ++i) {
    CHECK(seen[i].first == "k" + std::to_string(1000 + i));
    CHECK(seen[i].second == std::string(100, 'v'));
  }
}

TEMPLATE_TEST_CASE("a snapshot shows one moment, and its views live as long as it does", "", InMemory,
                   OnDisk) {
  TestType holder;
  Store& store = holder.get();
  const std::vector<Put> before{{"k", "before"}};
  REQUIRE(store.commit({0}, {1}, std::vector<std::string>{"e"}, before).has_value());
  const auto snapshot = store.snapshot().value();
  const std::string_view view = snapshot->get("k").value().value();
  for (int i = 0; i < 20; ++i) {
    const std::vector<Put> after{{"k", "after" + std::to_string(i)}, {"new", std::string(5'000, 'n')}};
    REQUIRE(store.commit({1}, {1}, {}, after).has_value());
  }
  CHECK(view == "before");
  CHECK(snapshot->get("k").value() == "before");
  CHECK_FALSE(snapshot->get("new").value().has_value());
  CHECK(snapshot->last_seq() == Seq{1});
  CHECK(store.get("k").value() == "after19");
}

TEMPLATE_TEST_CASE("a visitor's exception passes through a scan, and the store goes on", "", InMemory,
                   OnDisk) {
  TestType holder;
  Store& store = holder.get();
  const std::vector<Put> puts{{"ka", "1"}, {"kb", "2"}};
  REQUIRE(store.commit({0}, {1}, {}, puts).has_value());
  const auto scan = [&] { return store.scan("k", {}, [](auto, auto) -> bool { throw 7; }); };
  CHECK_THROWS_AS(static_cast<void>(scan()), int);
  CHECK(keys_under(store, "k").size() == 2);
  REQUIRE(store.commit({0}, {1}, {}, puts).has_value());
}

TEMPLATE_TEST_CASE("a local store needs no prefetching and does not ask for the keys", "", InMemory, OnDisk) {
  TestType holder;
  holder.get().prefetch([]() -> std::vector<std::string> { throw 7; });
  CHECK_FALSE(holder.get().get("k").value().has_value());
}

TEST_CASE("a read that fails does not end those after it") {
  OnDisk holder;
  Store& store = holder.get();
  const std::vector<Put> puts{{"k", "1"}};
  REQUIRE(store.commit({0}, {1}, {}, puts).has_value());
  CHECK(store.get("").error().code == Errc::storage);  // not a key: LMDB refuses it
  CHECK(store.get("k").value() == "1");
}

TEST_CASE("pages that cannot be read are an error, not an empty board") {
  TempDir directory;
  const std::string path = directory.path() + "/board";
  std::vector<Put> puts;
  for (int i = 0; i < 2'000; ++i) puts.push_back({"k" + std::to_string(i), std::string(100, 'v')});
  REQUIRE(LmdbStore::open(path, {.create = true}).value()->commit({0}, {1}, {}, puts).has_value());
  const std::string file = path + "/data.mdb";
  const auto bytes = std::filesystem::file_size(file);
  constexpr std::size_t headers = 2 * 4096;
  REQUIRE(bytes > headers);
  {
    std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
    out.seekp(headers);
    out << std::string(bytes - headers, '\0');
  }
  // Opening reads the last sequence number, so it fails already.
  CHECK(open_snapshot(path).error().code == Errc::corrupt);
  CHECK(LmdbStore::open(path).error().code == Errc::corrupt);
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
  const auto store = LmdbStore::open(path, {.bytes_max = 1 << 20, .create = true}).value();
  const std::vector<Put> too_much{{"k", std::string(2 << 20, 'x')}};
  CHECK(store->commit({0}, {1}, {}, too_much).error().code == Errc::storage);
  const std::vector<Put> little{{"k", "x"}};
  CHECK(store->commit({0}, {1}, {}, little).has_value());
  CHECK(store->get("k") == "x");
}

TEST_CASE("a commit whose header cannot be written is an error, and the store goes on") {
  OnDisk holder;
  Store& store = holder.get();
  const std::vector<Put> before{{"k", "before"}};
  const std::vector<Put> after{{"k", "after"}};
  REQUIRE(store.commit({0}, {1}, std::vector<std::string>{"e"}, before).has_value());

  SECTION("at once, when nobody reads a snapshot") {
    REQUIRE(refuse_headers(holder.directory.path() + "/board/data.mdb"));
    CHECK(store.commit({1}, {1}, std::vector<std::string>{"f"}, after).error().code == Errc::storage);
    CHECK_FALSE(store.awaits_snapshots());
  }
  SECTION("when the snapshots have ended, which show until then what they showed") {
    auto snapshot = store.snapshot().value();
    const std::string_view view = snapshot->get("k").value().value();
    REQUIRE(refuse_headers(holder.directory.path() + "/board/data.mdb"));
    CHECK(store.commit({1}, {1}, std::vector<std::string>{"f"}, after).error().code == Errc::storage);
    CHECK(store.awaits_snapshots());
    CHECK(store.get("k").error().code == Errc::storage);
    CHECK(store.commit({1}, {1}, {}, after).error().code == Errc::storage);
    CHECK(store.snapshot().error().code == Errc::storage);
    CHECK(view == "before");
    CHECK(keys_under(*snapshot, "k").size() == 1);
    snapshot.reset();
    CHECK_FALSE(store.awaits_snapshots());
  }
  CHECK(store.get("k") == "before");
  CHECK(store.last_seq() == Seq{1});
  REQUIRE(store.commit({1}, {1}, std::vector<std::string>{"f"}, after).has_value());
  CHECK(store.snapshot().value()->get("k") == "after");
}
