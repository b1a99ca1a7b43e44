// A board of format version 1 is kept (tests/data/make_board.sh made it): every later version must read it,
// prove it and go on with it.
#include <filesystem>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("A board of format version 1 opens, proves itself whole, and goes on") {
  const TestBoard board;
  std::filesystem::copy_file(fmt::format("{}/tests/data/board-1/data.mdb", BIDBOARD_SOURCE_DIR),
                             board.directory().path + "/data.mdb",
                             std::filesystem::copy_options::overwrite_existing);
  CHECK(contains(board.must({"doctor", "--deep"}), "intact"));
  CHECK(board.rows("SELECT id, title, state, attempts, epoch, coalesce(length(result), 0) FROM tasks") ==
        std::vector<std::string>{"t1|prints a lot|done|1|1|1491", "t2|needs it|done|1|1|1",
                                 "t3|fails|failed|1|1|0", "t4|is skipped|skipped|0|0|0",
                                 "t5|whatever happens|done|1|1|3", "t6|claimed by hand|done|2|2|13",
                                 "t7|open|ready|0|0|0"});
  CHECK(board.value("SELECT kind, body FROM discoveries") == "late_result|late");
  CHECK(board.value("SELECT mechanism, winner FROM auctions WHERE task = 't2'") == "optimal|runner");
  CHECK(contains(board.must({"explain", "t2"}), "runner was the only one to bid"));
  CHECK(board.must({"post", "a new one", "--key", "once"}) == "t1");  // known under its key
  CHECK(board.must({"claim", "t7", "--as", "bob"}) == "1");
  CHECK(board.must({"done", "t7", "--as", "bob"}) == "t7 is done");
  board.must({"compact"});
  CHECK(contains(board.must({"doctor", "--deep"}), "intact"));
}
