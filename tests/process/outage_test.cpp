// Coding agents whose provider refuses to work, as processes: stand-ins that print what the real clients were
// seen to print.
#include <signal.h>

#include <cstdlib>
#include <filesystem>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/client_agents.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr const char* claude_script = R"sh(echo x >> "$0.calls"
if [ -e "$0.limit" ]; then
  echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: 429 rate_limit_error, retry-after: 3600","api_error_status":429,"total_cost_usd":0}'
  exit 1
fi
echo '{"type":"assistant","message":{"content":[{"type":"text","text":"I think."}]}}'
echo '{"type":"result","subtype":"success","is_error":false,"result":"fine","total_cost_usd":0.25,"usage":{"input_tokens":3,"output_tokens":4}}'
)sh";

}  // namespace

TEST_CASE("When every call answers 429 with retry-after, the account rests and no attempt is used up") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", claude_script);
  board.write("bin/claude.limit", "");
  const Process controller = board.serve();
  std::vector<Process> agents;
  for (const char* name : {"one", "two", "three"})
    agents.push_back(client_agent(board, options, name, "claude", "team"));
  board.await_agents(3);
  for (int i = 1; i <= 9; ++i) board.must({"post", fmt::format("task {}", i)});
  // One call, or as many as were under way when the first one failed.
  REQUIRE(board.becomes(
      "SELECT count(*) > 0 AND (SELECT count(*) FROM tasks WHERE state <> 'ready') = 0 FROM log "
      "WHERE kind = 'attempt_ended'",
      "1"));
  CHECK(board.read("bin/claude.calls").size() <= 3 * std::string("x\n").size());
  CHECK(board.value("SELECT sum(attempts) FROM tasks") == "0");
  CHECK(contains(board.must({"explain", "t9"}), "no: rests with account team for "));
  CHECK(contains(board.must({"explain", "t9"}), "rate_limit (API Error: 429 rate_limit_error"));
  // The hour that the client said and up to five seconds more, less the time since.
  const std::string agents_shown = board.must({"agents"});
  CHECK((contains(agents_shown, "rests with account team for 1h00m") ||
         contains(agents_shown, "rests with account team for 5")));

  // A person who knows better has it tried again: one task probes, then all go on.
  REQUIRE(std::system(("rm '" + board.path("bin/claude.limit") + "'").c_str()) == 0);
  board.must({"probe", "team"});
  for (int i = 1; i <= 9; ++i) REQUIRE(board.task_becomes(fmt::format("t{}", i), "done"));
  CHECK(board.value("SELECT sum(price), sum(tokens), min(result) FROM tasks") == "2.25|63|fine");
  CHECK(contains(board.must({"output", "t1"}), "I think."));
  CHECK_FALSE(contains(board.must({"output", "t1"}), "total_cost_usd"));
  const Finished again = board.run({"probe", "team"});
  CHECK(again.exit_code == 3);
  CHECK(contains(again.err, "no agent or account called 'team' rests"));
}

TEST_CASE(
    "An agent with an invalid key among three takes no more than one task, and the others do the rest") {
  const TestBoard board;
  const ProcessOptions good = with_client(board, "claude", claude_script);
  board.write_script("bin/codex", R"(#!/bin/sh
cat > /dev/null
echo '{"type":"turn.failed","error":{"message":"unexpected status 401 Unauthorized: Incorrect API key provided"}}'
exit 1
)");
  const Process controller = board.serve();
  for (int i = 1; i <= 20; ++i) board.must({"post", fmt::format("task {}", i)});
  const Process bad = client_agent(board, good, "bad", "codex", "theirs");
  REQUIRE(board.becomes("SELECT outage FROM breakers WHERE name = 'theirs'", "authentication"));
  const Process one = client_agent(board, good, "one", "claude", "ours");
  const Process two = client_agent(board, good, "two", "claude", "ours");
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'done'", "20"));
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'attempt_ended'") == "1");
}

TEST_CASE("An agent whose directory was removed rests, and uses up no attempt") {
  const TestBoard board;
  const Process controller = board.serve();
  REQUIRE(std::filesystem::create_directory(board.path("place")));
  const Process agent = board.agent("w", {"--allow-run", "--dir", board.path("place")});
  board.await_agents(1);
  std::filesystem::remove(board.path("place"));
  board.must({"post", "x", "--run", "pwd"});
  REQUIRE(board.becomes("SELECT outage FROM breakers WHERE name = 'agent/w'", "environment"));
  CHECK(board.value("SELECT state, attempts FROM tasks") == "ready|0");
  CHECK(contains(board.must({"explain", "t1"}), "environment (the agent's directory "));
  REQUIRE(std::filesystem::create_directory(board.path("place")));
  board.must({"probe", "w"});
  CHECK(board.task_becomes("t1", "done"));
  CHECK(contains(board.value("SELECT result FROM tasks"), "/place"));
}

TEST_CASE(
    "is_error, denied tools and the notice of a limit are no results, although the client exits with 0") {
  const TestBoard board;
  const ProcessOptions options =
      with_client(board, "claude", R"sh(n=$(cat "$0.n" 2>/dev/null || echo 0); echo $((n + 1)) > "$0.n"
case $n in
  0) echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: 400 bad request","api_error_status":400,"total_cost_usd":0.5}';;
  1) echo '{"type":"result","subtype":"success","is_error":false,"result":"I could not.","permission_denials":[{"tool_name":"Bash"}]}';;
  2) echo '{"type":"result","subtype":"success","is_error":false,"result":"You have hit your session limit"}';;
esac
)sh");
  const Process controller = board.serve();
  const Process agent = client_agent(board, options, "solo", "claude", "team");
  board.await_agents(1);
  board.must({"post", "x", "--attempts", "4"});
  const bool rests = board.becomes("SELECT state FROM breakers WHERE name = 'team'", "open");
  INFO(board.must({"show", "t1"}));
  REQUIRE(rests);
  CHECK(board.value("SELECT state, attempts FROM tasks") == "ready|2");
  CHECK(board.rows("SELECT reason FROM (SELECT seq, json_extract(body, '$.reason') AS reason FROM log WHERE "
                   "kind = 'attempt_ended') ORDER BY seq") ==
        std::vector<std::string>{"API Error: 400 bad request",
                                 "it was not allowed to use Bash; allow it with `permission:`",
                                 "You have hit your session limit"});
  CHECK(board.value("SELECT json_extract(body, '$.price') FROM log WHERE kind = 'attempt_ended' LIMIT 1") ==
        "0.5");
}

TEST_CASE("done said from inside accepts the result at once; the session ends by itself, its price counts") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", R"sh(bidboard done --result early
until [ -e "$0.go" ]; do sleep 0.01; done
echo '{"type":"result","subtype":"success","is_error":false,"result":"bye","total_cost_usd":0.75}'
)sh");
  const Process controller = board.serve();
  const Process agent = client_agent(board, options, "solo", "claude", "team");
  board.await_agents(1);
  board.must({"post", "first"});
  REQUIRE(board.task_becomes("t1", "done"));
  board.must({"post", "second"});
  CHECK(board.value("SELECT state FROM tasks WHERE id = 't2'") == "ready");  // the slot is still taken
  board.write("bin/claude.go", "");
  REQUIRE(board.task_becomes("t2", "done"));
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'attempt_settled'", "2"));
  CHECK(board.value("SELECT sum(price), min(result), max(attempts) FROM tasks") == "1.5|early|1");
}

TEST_CASE("One agent that dies again and again rests alone, and the others go on") {
  const TestBoard board;
  board.write("bidboard.yaml",
              "restart: {intensity: 2, period: 30s}\n"
              "agents:\n- {name: steady, allow_run: true}\n- {name: shaky, allow_run: true}\n");
  Process up = board.start({"up"});
  board.await_agents(2);
  const std::string pid = "SELECT pid FROM agents WHERE name = 'shaky' AND state = 'live'";
  for (int i = 0; i < 3; ++i) {
    std::string last;
    REQUIRE(eventually([&] { return !(last = board.rows(pid).empty() ? "" : board.value(pid)).empty(); },
                       patience));
    ::kill(std::stoi(last), SIGKILL);
    REQUIRE(eventually([&] { return board.rows(pid) != std::vector<std::string>{last}; }, patience));
  }
  const bool rests =
      eventually([&] { return contains(up.err(), "it rests for 30.0s, the others go on"); }, patience);
  INFO(up.err());
  REQUIRE(rests);
  board.must({"post", "x", "--run", "echo fine"});
  REQUIRE(board.task_becomes("t1", "done"));
  up.signal(SIGTERM);
  CHECK(up.wait() == 0);
}
