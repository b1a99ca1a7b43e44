// Pages of the store that cannot be read: every command that needs them says so and exits with 1; none prints
// what little it could read as if it were all there is.
#include <cstring>
#include <fstream>
#include <iterator>

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

/// The first letters of the keys on a leaf page of LMDB's data format 1; empty for any other page. Behind a
/// header of 16 bytes (number, padding, flags, end of the list, begin of the entries) comes a list of where
/// the entries are; an entry has 8 bytes before its key.
std::string letters_on(const std::string& file, std::size_t page) {
  constexpr std::uint16_t leaf = 0x02;
  if (number_at<std::uint16_t>(file, page + 10) != leaf) return {};
  std::string letters;
  const std::size_t entries = (number_at<std::uint16_t>(file, page + 12) - 16u) / 2;
  for (std::size_t i = 0; i < entries; ++i)
    letters += file[page + number_at<std::uint16_t>(file, page + 16 + 2 * i) + 8];
  return letters;
}

/// Clears the pages that hold nothing but tasks and events. How many.
int clear_pages(const std::string& path) {
  std::string file;
  {
    std::ifstream in(path, std::ios::binary);
    file.assign(std::istreambuf_iterator<char>(in), {});
  }
  int cleared = 0;
  for (std::size_t page = 2 * page_bytes; page + page_bytes <= file.size(); page += page_bytes) {
    const std::string letters = letters_on(file, page);
    if (letters.empty() || letters.find_first_not_of("TL") != std::string::npos) continue;
    std::memset(file.data() + page, 0, page_bytes);
    ++cleared;
  }
  std::ofstream(path, std::ios::binary) << file;
  return cleared;
}

}  // namespace

TEST_CASE("commands that come upon pages that cannot be read say so and exit with 1") {
  const TestBoard board;
  for (int i = 0; i < 40; ++i) board.must({"post", "a task", "--body", std::string(900, 'b')});
  REQUIRE(clear_pages(board.directory().path + "/data.mdb") > 5);
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
