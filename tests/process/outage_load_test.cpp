// Many agents whose providers refuse work again and again, as processes: stand-ins that write into a book
// what they bill, and print what the real clients were seen to print. The simulator has the same with 50
// agents and 500 tasks (tests/sim/accounts_test.cpp); here BIDBOARD_SOAK makes it as many.
#include <cstdlib>
#include <map>
#include <sstream>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/client_agents.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// What an attempt comes to depends on its task and epoch alone: three of ten meet an outage, two of those
/// after work that is billed.
constexpr const char* moody_claude = R"sh(
draw=$(printf '%s' "$BIDBOARD_TASK $BIDBOARD_EPOCH" | cksum)
draw=$((${draw%% *} % 10))
bill() { echo "$BIDBOARD_TASK $BIDBOARD_EPOCH ${1}0000" >> "$0.book"; }
refuse() { echo "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":true,\"result\":\"API Error: $2\",\"api_error_status\":$1,\"total_cost_usd\":0.$3}"; exit 1; }
case $draw in
  0) bill 12; refuse 429 'rate_limit_error, retry-after: 5' 12;;
  1) bill 34; refuse 529 'overloaded_error' 34;;
  2) refuse 401 'authentication_error: invalid x-api-key' 0;;
esac
bill "5$draw"
echo "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"fine\",\"total_cost_usd\":0.5$draw}"
)sh";

/// In millionths, by "TASK EPOCH".
using Book = std::map<std::string, std::int64_t>;

Book read_book(const std::string& text) {
  Book book;
  std::istringstream lines(text);
  std::string task, epoch;
  for (std::int64_t amount = 0; lines >> task >> epoch >> amount;) book[task + " " + epoch] += amount;
  return book;
}

/// What the board's log says that each attempt has cost, as far as it cost anything.
Book told_book(const TestBoard& board) {
  Book book;
  for (const std::string& row :
       board.rows("SELECT task || ' ' || json_extract(body, '$.epoch') || ' ' || "
                  "CAST(round(json_extract(body, '$.price') * 1000000) AS INTEGER) FROM log "
                  "WHERE kind IN ('attempt_ended', 'task_finished') AND json_extract(body, '$.price') > 0"))
    for (const auto& [attempt, amount] : read_book(row)) book[attempt] += amount;
  return book;
}

std::int64_t sum_of(const Book& book) {
  std::int64_t sum = 0;
  for (const auto& [attempt, amount] : book) sum += amount;
  return sum;
}

}  // namespace

TEST_CASE("Agents with random outages do all tasks: none lost, no attempt used up, spent what was billed") {
  const bool soak = std::getenv("BIDBOARD_SOAK") != nullptr;
  const int agents = soak ? 50 : 10;
  const int accounts = soak ? 5 : 3;
  const int tasks = soak ? 500 : 60;
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", moody_claude);
  const Process controller = board.serve();
  board.post(std::vector<TaskSpec>(static_cast<std::size_t>(tasks), [] {
    TaskSpec spec;
    spec.title = "work";
    return spec;
  }()));
  std::vector<Process> running;
  for (int i = 0; i < agents; ++i)
    running.push_back(client_agent(board, options, fmt::format("a{}", i), "claude",
                                   fmt::format("account{}", i % accounts)));
  // Rests last for seconds or minutes; here a person has each account tried again at once.
  const auto all_done = [&] {
    for (const std::string& name : board.rows("SELECT name FROM breakers WHERE state = 'open'"))
      board.run({"probe", name});
    return board.value("SELECT count(*) FROM tasks WHERE state = 'done'") == std::to_string(tasks);
  };
  const bool done = eventually(all_done, std::chrono::seconds(soak ? 600 : 120));
  INFO(board.must({"status"}));
  REQUIRE(done);
  CHECK(board.value("SELECT count(*), min(attempts), max(attempts) FROM tasks") ==
        fmt::format("{}|1|1", tasks));
  CHECK(board.value("SELECT count(*) > 10 FROM log WHERE kind = 'attempt_ended'") == "1");
  const Book billed = read_book(board.read("bin/claude.book"));
  CHECK(billed.size() > static_cast<std::size_t>(tasks));
  CHECK(told_book(board) == billed);
  CHECK(board.value("SELECT CAST(round(money * 1000000) AS INTEGER) FROM spending WHERE scope = 'board'") ==
        std::to_string(sum_of(billed)));
  CHECK(board.value(
            "SELECT CAST(round(sum(money) * 1000000) AS INTEGER) FROM spending WHERE scope = 'account'") ==
        std::to_string(sum_of(billed)));
}
