// Pages of the store that cannot be read: every command that needs them reports it and exits with 1; none
// prints a partial answer as if it were complete.
#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr std::size_t page_bytes = 4096;

template <class Number>
Number number_at(const std::string& bytes, std::size_t at) {
  Number number = 0;
  std::memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

// LMDB's data format 1: a page has a header of 16 bytes (number, padding, flags, end of the list, begin of
// the entries) and then a list of where its entries are. An entry has 8 bytes before its key; on a branch
// page they are the child's number (6 bytes) and the length of the key.
constexpr std::uint16_t branch = 0x01;
constexpr std::uint16_t leaf = 0x02;

std::uint16_t flags_of(const std::string& file, std::size_t page) {
  return number_at<std::uint16_t>(file, page + 10);
}

std::vector<std::size_t> entries_on(const std::string& file, std::size_t page) {
  std::vector<std::size_t> entries;
  for (std::size_t at = 16; at < number_at<std::uint16_t>(file, page + 12); at += 2)
    entries.push_back(page + number_at<std::uint16_t>(file, page + at));
  return entries;
}

bool holds_only_tasks_and_events(const std::string& file, std::size_t page) {
  if (page + page_bytes > file.size() || flags_of(file, page) != leaf) return false;
  for (const std::size_t entry : entries_on(file, page))
    if (file[entry + 8] != 'T' && file[entry + 8] != 'L') return false;
  return true;
}

/// Makes LMDB look for pages that hold nothing but tasks and events where there are none. How many.
int lose_pages(const std::string& path) {
  std::string file;
  {
    std::ifstream in(path, std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(in), {});
  }
  int lost = 0;
  for (std::size_t page = 2 * page_bytes; page + page_bytes <= file.size(); page += page_bytes) {
    if (flags_of(file, page) != branch) continue;
    for (const std::size_t entry : entries_on(file, page)) {
      const std::uint64_t child = number_at<std::uint32_t>(file, entry);
      if (!holds_only_tasks_and_events(file, child * page_bytes)) continue;
      file[entry + 4] = 1;  // 2^32 pages farther on
      ++lost;
    }
  }
  std::ofstream(path, std::ios::binary) << file;
  return lost;
}

}  // namespace

TEST_CASE("commands that meet unreadable pages report it and exit with 1") {
  const TestBoard board;
  for (int i = 0; i < 40; ++i) board.must({"post", "a task", "--body", std::string(900, 'b')});
  REQUIRE(lose_pages(board.directory().path + "/data.mdb") > 5);
  const std::vector<std::vector<std::string>> commands{{"tasks"},
                                                       {"tasks", "--json"},
                                                       {"tasks", "--where", "state = 'ready'"},
                                                       {"ready"},
                                                       {"show", "t20"},
                                                       {"log"},
                                                       {"log", "--from", "1"},
                                                       {"query", "SELECT count(*) FROM tasks"},
                                                       {"query", "SELECT * FROM log ORDER BY seq DESC"},
                                                       {"query", "SELECT count(*) FROM tasks", "--at", "30"},
                                                       {"claim", "t20", "--as", "ann"},
                                                       {"compact"}};
  for (const std::vector<std::string>& words : commands) {
    const Finished done = board.run(words);
    INFO(words.front() << " " << words.back() << ": " << done.out << done.err);
    CHECK(done.exit_code == 1);
    CHECK(contains(done.err, "the board's store: read"));
  }
  const Finished doctor = board.run({"doctor"});
  INFO(doctor.out);
  CHECK(doctor.exit_code == 1);
  CHECK(contains(doctor.out, "the board's store: read"));
}
