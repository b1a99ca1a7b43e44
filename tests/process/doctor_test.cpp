// What `doctor` reports: what dead processes left behind, and a board of a newer version.
#include <signal.h>

#include <filesystem>

#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

void post_waiting_task(const TestBoard& board) {
  board.write_script("wait.sh", "#!/bin/sh\necho $$ > pid\nuntil [ -e go ]; do sleep 0.01; done\n");
  board.must({"post", "waits", "--run", "./wait.sh"});
}

pid_t child_of(const TestBoard& board) {
  REQUIRE(eventually([&] { return board.read("pid").ends_with('\n'); }, patience));
  return static_cast<pid_t>(std::stol(board.read("pid")));
}

/// Changes what is stored under a key, without a log event.
template <class Change>
void tamper(const TestBoard& board, const std::string& key, Change&& change) {
  const auto store = LmdbStore::open(board.directory().path);
  REQUIRE(store.has_value());
  std::string bytes((*store)->get(key).value().value());
  change(bytes);
  const Put put{key, bytes};
  REQUIRE((*store)->commit((*store)->last_seq(), (*store)->last_term(), {}, std::span(&put, 1)).has_value());
}

}  // namespace

TEST_CASE(
    "doctor names what a killed controller and killed agents left behind, and the next start removes it") {
  const TestBoard board;
  Process controller = board.serve();
  Process agent = board.agent("a1", {"--allow-run"});
  board.await_agents(1);
  post_waiting_task(board);
  const pid_t child = child_of(board);
  CHECK(board.must({"doctor"}) == "The board is intact. `--deep` also compares its records with its log.");
  controller.kill();
  std::string found = board.must({"doctor"});
  CHECK(contains(found, "the last writer did not end cleanly"));
  CHECK(contains(found, "sockets of a controller that was killed are left over"));
  CHECK(contains(found, "agent a1 waits for a controller"));
  CHECK(contains(found, "a process of task t1 still runs, without a controller"));

  agent.kill();
  REQUIRE(eventually([&] { return !process_exists(child); }, patience));
  REQUIRE(eventually([&] { return !contains(board.must({"doctor"}), "still runs"); }, patience));
  CHECK(contains(board.must({"doctor"}), "agent a1 is listed as live, but its process has ended"));

  controller = board.serve();
  REQUIRE(board.task_becomes("t1", "ready"));
  CHECK(board.must({"doctor"}) == "The board is intact. `--deep` also compares its records with its log.");
  controller.signal(SIGTERM);
  CHECK(controller.wait() == 0);
  CHECK(board.must({"doctor"}) == "The board is intact. `--deep` also compares its records with its log.");
}

TEST_CASE("doctor names processes that still run for a task without a holder") {
  const TestBoard board;
  board.write("bidboard.yaml", "lease: 1s\nheartbeat: 300ms\n");
  Process up = board.start({"up"});
  REQUIRE(eventually([&] { return serving_writer(board.directory()).has_value(); }, patience));
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'config_set'", "2"));
  Process agent = board.agent("a1", {"--allow-run"});
  board.await_agents(1);
  post_waiting_task(board);
  child_of(board);
  agent.signal(SIGSTOP);
  REQUIRE(board.task_becomes("t1", "ready"));
  CHECK(contains(board.must({"doctor"}), "a process of task t1 still runs, but no agent holds the task"));
  agent.signal(SIGCONT);
}

TEST_CASE("A board of a newer version is reported as such, and nothing is written to it") {
  using Words = std::vector<std::string>;
  const Words claim{"claim", "t1", "--as", "ann"};
  const std::vector<std::pair<std::string, std::vector<Words>>> newer{
      {std::string(keys::config), {claim}},
      {keys::task({1}), {claim, {"tasks"}, {"query", "SELECT state FROM tasks"}}},
      {keys::event({2}), {{"log"}}}};
  for (const auto& [key, commands] : newer) {
    const TestBoard board;
    board.must({"post", "first"});
    tamper(board, key, [](std::string& bytes) { bytes[0] = static_cast<char>(format_version + 1); });
    INFO("newer: " << key);
    const Finished found = board.run({"doctor", "--deep"});
    CHECK(found.exit_code == 1);
    CHECK(contains(found.out, "written by a newer Bidboard"));
    const auto written = std::filesystem::last_write_time(board.directory().path + "/data.mdb");
    for (const Words& words : commands) {
      const Finished refused = board.run(words);
      INFO(words.front() << ": " << refused.out << refused.err);
      CHECK(refused.exit_code == 1);
      CHECK(contains(refused.err, "newer Bidboard"));
    }
    CHECK(std::filesystem::last_write_time(board.directory().path + "/data.mdb") == written);
  }
}
