// A killed reader must not let the store grow without limit.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "blackboard/fmt.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/recorded_dag.hpp"
#include "tests/support/temp_dir.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr std::uint64_t updates_per_commit = 100;
constexpr std::uint64_t records = 1'000;

/// A process that holds a read transaction on the present store until it is killed.
class Reader {
 public:
  /// REQUIRES: this process has no store open.
  explicit Reader(const std::string& folder) {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    pid_ = ::fork();
    if (pid_ == 0) {
      const auto snapshot = open_snapshot(folder);
      if (snapshot) static_cast<void>(!::write(ends[1], "r", 1));
      while (true) ::pause();
    }
    char ready = 0;
    REQUIRE(::read(ends[0], &ready, 1) == 1);
    ::close(ends[0]);
    ::close(ends[1]);
  }
  ~Reader() { kill(); }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }

 private:
  pid_t pid_ = 0;
};

void update(LmdbStore& store, std::uint64_t from, std::uint64_t to) {
  for (std::uint64_t i = from; i < to;) {
    std::vector<Put> puts;
    std::vector<std::string> events;
    for (const std::uint64_t end = i + updates_per_commit; i < end; ++i) {
      puts.push_back({fmt::format("k{}", i * 7919 % records), std::string(300, static_cast<char>(i))});
      events.emplace_back(100, 'e');
    }
    REQUIRE(store.commit(store.last_seq(), {1}, events, puts).has_value());
  }
}

std::uintmax_t bytes_after(std::uint64_t updates, bool with_reader) {
  const TempDir folder;
  const StoreOptions options{.durability = Durability::none, .create = true};
  {
    const auto store = LmdbStore::open(folder.path(), options);
    REQUIRE(store.has_value());
    update(**store, 0, records);
  }
  std::optional<Reader> reader;
  if (with_reader) reader.emplace(folder.path());
  const auto store = LmdbStore::open(folder.path(), options);
  REQUIRE(store.has_value());
  // The reader dies early; a while later its slot is cleared, as a controller does every ten seconds.
  const std::uint64_t dies = records + updates / 1'000;
  const std::uint64_t cleared = records + updates / 100;
  update(**store, records, dies);
  if (reader) reader->kill();
  update(**store, dies, cleared);
  CHECK((*store)->clear_stale_readers() == (with_reader ? 1 : 0));
  update(**store, cleared, updates);
  return std::filesystem::file_size(folder.path() + "/data.mdb");
}

}  // namespace

TEST_CASE("A killed reader lets the file grow by at most a half") {
  const std::uint64_t updates = 100'000 * soak_rounds();
  const std::uintmax_t without = bytes_after(updates, false);
  const std::uintmax_t with = bytes_after(updates, true);
  WARN(updates << " updates: " << without << " bytes, with a killed reader " << with);
  CHECK(with * 2 <= without * 3);
}
