// How agents bid and work, as processes: commands, coprocesses, formulas, every strategy, tokens, output,
// stalls.
#include <cstdlib>

#include "blackboard/fmt.hpp"
#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr const char* winner =
    "SELECT a.name FROM tasks t JOIN agents a ON a.name = t.holder WHERE t.id = 't1'";

/// Bids 1 second for tasks whose title names a file in this agent's folder, else 100.
constexpr const char* bid_script = R"sh(#!/bin/sh
title=$(sed -n 's/.*"title": "\([^"]*\)".*/\1/p')
if [ -e "$1/$title" ]; then echo '{"seconds": 1}'; else echo '{"seconds": 100}'; fi
)sh";

std::string text_of(const Value& object, const std::string& key) {
  const Value* value = object.find(key);
  return value == nullptr ? "(absent)" : value->is_string() ? value->string() : to_json(*value);
}

/// On a busy machine a bidder's program starts slowly, and its bid must count.
Config with_patience_for_bids() {
  Config config;
  config.bid_timeout = seconds(60);
  return config;
}

}  // namespace

TEST_CASE("An agent's bid command reads the agent's own files, and that changes the winner") {
  for (const std::string& knows : {std::string("left"), std::string("right")}) {
    const TestBoard board;
    board.write_script("bid.sh", bid_script);
    board.must({"post", "parser.cpp"});
    const Process controller = board.serve();
    for (const std::string& side : {std::string("left"), std::string("right")})
      REQUIRE(std::system(("mkdir '" + board.path(side) + "'").c_str()) == 0);
    board.write(knows + "/parser.cpp", "");
    board.configure(with_patience_for_bids());
    board.must({"pause", "t1"});
    const Process left = board.agent("left", {"--exec", "echo done by left", "--bid", "./bid.sh left"});
    const Process right = board.agent("right", {"--exec", "echo done by right", "--bid", "./bid.sh right"});
    board.await_agents(2);
    board.must({"resume", "t1"});
    REQUIRE(board.task_becomes("t1", "done"));
    CHECK(board.value("SELECT result FROM tasks") == "done by " + knows);
    CHECK(board.rows(
              "SELECT a.name, b.seconds FROM bids b JOIN agents a ON a.name = b.agent ORDER BY b.score") ==
          std::vector<std::string>{knows + "|1.0",
                                   (knows == "left" ? "right" : "left") + std::string("|100.0")});
    CHECK(contains(board.must({"explain", "t1"}), knows + " had the best score"));
  }
}

TEST_CASE("A coprocess bids over its lines, and refuses with its own words") {
  const TestBoard board;
  board.write_script("coprocess.py", R"(#!/usr/bin/env python3
import json, sys
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "bid":
        if message["task"]["title"] == "hard":
            print(json.dumps({"type": "refuse", "request": message["request"], "reason": "no GPU"}), flush=True)
        else:
            print(json.dumps({"type": "bid", "request": message["request"], "seconds": 0.5, "price": 0.25}), flush=True)
    elif message["type"] == "task":
        print(json.dumps({"type": "result", "task": message["task"], "epoch": message["epoch"], "result": {"by": "coprocess"},
                          "price": 0.125, "tokens": 77}), flush=True)
)");
  const Process controller = board.serve();
  board.configure(with_patience_for_bids());
  const Process bidder = board.agent("bidder", {"--coprocess", "./coprocess.py"});
  const Process slow = board.agent("slow", {"--exec", "echo slow", "--speed", "0.5"});
  board.await_agents(2);
  board.must({"post", "easy"});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(board.value(winner) == "bidder");
  const Value shown = board.data({"show", "t1", "--json"});
  CHECK(text_of(shown, "result") == R"({"by": "coprocess"})");
  CHECK(text_of(shown, "price") == "0.125");
  CHECK(text_of(shown, "tokens") == "77");
  board.must({"post", "hard"});
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(board.value("SELECT result FROM tasks WHERE id = 't2'") == "slow");
  CHECK(board.value("SELECT reason FROM bids WHERE task = 't2' AND refused") == "declined: no GPU");
}

TEST_CASE("Tasks that an agent offers together go to it together, one after the other in one slot") {
  const TestBoard board;
  board.write_script("joint.py", R"(#!/usr/bin/env python3
import json, sys
task = json.load(sys.stdin)
related = [other["task"] for other in task["related"]]
print(json.dumps({"seconds": 50, "bundles": [{"with": related, "seconds": 6, "price": 1}] if related else []}))
)");
  board.write_script("count.sh", R"sh(#!/bin/sh
mkdir running || { echo two at once >&2; exit 1; }
cat >/dev/null
rmdir running
)sh");
  board.write("job.yaml",
              "name: laundry\ntasks:\n  wash: {title: wash, kind: wet}\n  iron: {title: iron, kind: dry}\n  "
              "rinse: {title: rinse, kind: wet}\n"
              "  spin: {title: spin, kind: wet}\n");
  const Process controller = board.serve();
  Config config = with_patience_for_bids();
  config.mechanism = "combinatorial";
  config.calibrate = false;
  board.configure(config);
  const Process joint =
      board.agent("joint", {"--exec", "./count.sh", "--bid", "./joint.py", "--capacity", "2"});
  const Process single = board.agent("single", {"--exec", "cat", "--bid", "echo '{\"seconds\": 10}'"});
  board.await_agents(2);
  const Finished ran = board.run({"run", "job.yaml", "--quiet"});
  INFO(ran.out << ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(board.rows("SELECT t.name, a.name FROM tasks t JOIN agents a ON a.name = t.holder ORDER BY t.id") ==
        std::vector<std::string>{"wash|joint", "iron|single", "rinse|joint", "spin|joint"});
  CHECK(board.value("SELECT count(*) FROM bids WHERE task = 't1' AND seconds = 2") == "1");
  CHECK(contains(board.must({"explain", "t1"}), "joint takes t1, t3 and t4 together, for 7 in all"));
  CHECK(contains(board.must({"explain", "t3"}), "joint won it together with t1, which is done"));
  CHECK(text_of(board.data({"explain", "t4", "--json"}).array().at(0), "bundle") == R"(["t1", "t3", "t4"])");
}

TEST_CASE("An agent with a formula bids without being asked, by the task's own fields") {
  const TestBoard board;
  board.must({"post", "big", "--size", "8"});
  const Process controller = board.serve();
  board.must({"pause", "t1"});
  const Process flat = board.agent("flat", {"--exec", "echo flat", "--cost", "3"});
  const Process steep = board.agent("steep", {"--exec", "echo steep", "--cost", "size * 2"});
  board.await_agents(2);
  board.must({"resume", "t1"});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(board.value(winner) == "flat");
  CHECK(board.rows("SELECT seconds FROM bids ORDER BY seconds") == std::vector<std::string>{"3.0", "16.0"});
}

TEST_CASE("Every strategy and mechanism of bidboard.yaml finishes a small job, and its awards name it") {
  const std::string chosen = GENERATE(
      "strategy: blackboard", "strategy: central", "strategy: fifo", "strategy: list", "strategy: random",
      "strategy: single", "mechanism: first_price", "mechanism: vickrey", "mechanism: sequential",
      "mechanism: optimal", "mechanism: bertsekas", "mechanism: combinatorial");
  const TestBoard board;
  INFO(chosen);
  board.write("bidboard.yaml", chosen +
                                   "\nagents:\n- {name: w, count: 2, allow_run: true, set_up: 100ms}\n- "
                                   "{name: asked, live: true, allow_run: true}\n");
  board.write("job.yaml",
              "name: small\ntasks:\n  a: {run: echo a}\n  b: {run: echo b, needs: [a]}\n  c: {run: echo c, "
              "needs: [a]}\n"
              "  d: {run: 'cat \"$BIDBOARD_NEEDS\"', needs: [b, c]}\n");
  board.must({"up", "--detach"});
  CHECK(contains(board.must({"status"}), "agents      3 connected"));
  const Finished ran = board.run({"run", "job.yaml", "--quiet"});
  INFO(ran.out << ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(contains(board.value("SELECT result FROM tasks WHERE name = 'd'"),
                 R"("c": {"task": "t3", "state": "done", "result": "c"})"));
  CHECK(board.rows("SELECT DISTINCT mechanism FROM auctions") ==
        std::vector<std::string>{chosen.substr(chosen.find(' ') + 1)});
  board.must({"down"});
  CHECK_FALSE(serving_writer(board.directory()).has_value());
}

TEST_CASE("A task waits for the faster agent that is busy, instead of going to a free slow one") {
  const TestBoard board;
  board.write_script("first.sh", "#!/bin/sh\nuntil [ -e go ]; do sleep 0.01; done\n");
  const Process controller = board.serve();
  const Process fast = board.agent("fast", {"--allow-run", "--cost", "size / 100"});
  board.await_agents(1);
  board.must({"post", "first", "--run", "./first.sh", "--size", "100"});
  REQUIRE(board.task_becomes("t1", "running"));
  const Process slow = board.agent("slow", {"--allow-run", "--cost", "size * 100"});
  board.await_agents(2);
  board.must({"post", "second", "--run", "echo second", "--size", "100"});
  // Once a later task that only the slow agent can do is awarded, the second one has been decided and
  // reserved.
  board.must({"post", "third", "--run", "echo third", "--key", "third"});
  board.must({"reassign", "t3", "slow"});
  REQUIRE(board.task_becomes("t3", "done"));
  CHECK(board.value("SELECT state FROM tasks WHERE id = 't2'") == "ready");
  board.write("go", "");
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(board.value("SELECT a.name FROM tasks t JOIN agents a ON a.name = t.holder WHERE t.id = 't2'") ==
        "fast");
  CHECK(board.seq_of("kind = 'task_finished' AND task = 't1'") <
        board.seq_of("kind = 'task_awarded' AND task = 't2'"));
}

TEST_CASE("The Python agent of the examples does a task") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent =
      board.agent("counter", {"--coprocess", "python3 '" BIDBOARD_SOURCE_DIR "/examples/python_agent.py'"});
  board.await_agents(1);
  board.must({"post", "Count", "--body", "one two\nthree two"});
  REQUIRE(board.task_becomes("t1", "done"));
  const Value shown = board.data({"show", "t1", "--json"});
  REQUIRE(shown.find("result") != nullptr);
  CHECK(text_of(*shown.find("result"), "words") == "4");
  CHECK(text_of(*shown.find("result"), "lines") == "2");
}

TEST_CASE("A coding agent's price, tokens and answer are taken from its JSON, as in the README") {
  const TestBoard board;
  REQUIRE(std::system(fmt::format("mkdir '{}'", board.path("bin")).c_str()) == 0);
  board.write_script("bin/claude", R"(#!/bin/sh
[ "$1 $2 $3" = "-p --output-format json" ] || { echo "called with $*" >&2; exit 1; }
cat > asked
echo '{"type": "result", "result": "The login is fixed.", "total_cost_usd": 0.0421, "usage": {"input_tokens": 5, "output_tokens": 1234}}'
)");
  const Process controller = board.serve();
  ProcessOptions options = board.surroundings();
  options.environment["PATH"] = fmt::format("{}:{}", board.path("bin"), std::getenv("PATH"));
  const Process agent =
      board.start({"agent", "--name", "claude", "--exec", "claude -p --output-format json", "--price-field",
                   "total_cost_usd", "--tokens-field", "usage.output_tokens", "--result-field", "result"},
                  options);
  board.must({"post", "Fix the login", "--body", "It fails on Mondays."});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(board.read("asked") == "Fix the login\n\nIt fails on Mondays.\n");
  const Value shown = board.data({"show", "t1", "--json"});
  CHECK(text_of(shown, "result") == "The login is fixed.");
  CHECK(text_of(shown, "price") == "0.0421");
  CHECK(text_of(shown, "tokens") == "1234");
  CHECK(contains(board.must({"show", "t1"}), "0.0421"));
}

TEST_CASE("With its token a task's process acts for its own task without naming it, and for no other") {
  const TestBoard board;
  board.write_script("try.sh", R"(#!/bin/sh
try() { "$BB" "$@" > /dev/null 2>> errors; echo "$? $*" >> codes; }
try progress 0.4 "half way"
try progress 0.5 --as somebody
try progress 0.5 --task t2
try cancel t2
try cancel t1
try retry t2
try reassign t2 other
try claim t2 --as other
try claim t2
try done t2
try post "found more to do"
try init --strategy fifo
try down
try tasks
)");
  const Process controller = board.serve();
  ProcessOptions options = board.surroundings();
  options.environment["BB"] = bidboard_binary;
  const Process agent = board.start({"agent", "--name", "worker", "--allow-run"}, options);
  board.await_agents(1);
  board.must({"post", "tries things", "--run", "./try.sh; until [ -e go ]; do sleep 0.01; done"});
  board.must({"post", "not its business", "--need", "t1"});
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'task_progressed'", "1"));
  CHECK(text_of(board.data({"show", "t1", "--json"}), "progress") == "0.4");
  CHECK(contains(board.must({"show", "t1"}), "40 % half way"));
  REQUIRE(eventually([&] { return contains(board.read("codes"), "tasks\n"); }, patience));
  INFO(board.read("errors"));
  CHECK(lines_of(board.read("codes")) ==
        std::vector<std::string>{"0 progress 0.4 half way", "4 progress 0.5 --as somebody",
                                 "4 progress 0.5 --task t2", "4 cancel t2", "4 cancel t1", "4 retry t2",
                                 "4 reassign t2 other", "4 claim t2 --as other", "2 claim t2", "4 done t2",
                                 "0 post found more to do", "4 init --strategy fifo", "4 down", "0 tasks"});
  CHECK(board.value("SELECT state FROM tasks WHERE id = 't2'") == "blocked");
  CHECK(std::stoi(board.value("SELECT count(*) FROM log WHERE kind = 'request_refused'")) >= 5);
  board.write("go", "");
  CHECK(board.task_becomes("t1", "done"));
}

TEST_CASE("A token is refused once its task has been awarded again") {
  const TestBoard board;
  const Process controller = board.serve();
  Process agent = board.agent("worker", {"--allow-run"});
  board.await_agents(1);
  board.must({"post", "leaks", "--run",
              "echo $BIDBOARD_TOKEN > token.$BIDBOARD_EPOCH; until [ -e go ]; do sleep 0.01; done"});
  REQUIRE(eventually([&] { return board.read("token.1").ends_with('\n'); }, patience));
  agent.kill();
  agent = board.agent("worker", {"--allow-run"});
  REQUIRE(eventually([&] { return board.read("token.2").ends_with('\n'); }, patience));
  ProcessOptions options = board.surroundings();
  options.environment["BIDBOARD_TOKEN"] = lines_of(board.read("token.1")).front();
  CHECK(board.run({"progress", "0.9", "--task", "t1"}, options).exit_code == 5);
  CHECK(board.run({"done", "t1", "--result", "stale"}, options).exit_code == 5);
  options.environment["BIDBOARD_TOKEN"] = lines_of(board.read("token.2")).front();
  CHECK(board.run({"progress", "0.9", "--task", "t1"}, options).exit_code == 0);
  options.environment["BIDBOARD_TOKEN"] += "x";
  CHECK(board.run({"progress", "0.9", "--task", "t1"}, options).exit_code == 4);
  board.write("go", "");
  CHECK(board.task_becomes("t1", "done"));
}

TEST_CASE("output -f follows what a task prints, up to its end") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent = board.agent("worker", {"--allow-run"});
  board.await_agents(1);
  board.must({"post", "prints", "--run",
              "echo one; until [ -e go ]; do sleep 0.01; done; echo two >&2; echo three"});
  Process follow = board.start({"output", "t1", "-f"});
  REQUIRE(eventually([&] { return follow.out() == "one\n"; }, patience));
  CHECK(follow.running());
  board.write("go", "");
  CHECK(follow.wait() == 0);
  CHECK(contains(follow.out(), "two\n"));
  CHECK(contains(follow.out(), "three\n"));
  CHECK(board.must({"output", "t1"}) + "\n" == follow.out());
}

TEST_CASE("A task that is silent for its stall_after is reported as stalled, once") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent = board.agent("worker", {"--allow-run"});
  board.await_agents(1);
  board.must({"post", "silent", "--stall-after", "100ms", "--run", "until [ -e go ]; do sleep 0.01; done"});
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'task_stalled'", "1"));
  CHECK(board.value("SELECT state FROM tasks") == "running");
  board.write("go", "");
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(board.value("SELECT count(*) FROM log WHERE kind = 'task_stalled'") == "1");
}

TEST_CASE("When every agent declines, explain and SQL show who was asked, the reasons, and the next time") {
  const TestBoard board;
  board.write_script("no.sh", "#!/bin/sh\ncat > /dev/null\necho \"{\\\"refuse\\\": \\\"$1\\\"}\"\n");
  const Process controller = board.serve();
  board.configure(with_patience_for_bids());
  const Process left = board.agent("left", {"--exec", "cat", "--bid", "./no.sh 'no GPU'"});
  const Process right = board.agent("right", {"--exec", "cat", "--bid", "./no.sh 'not my thing'"});
  board.await_agents(2);
  board.must({"post", "train"});
  REQUIRE(board.becomes("SELECT count(*) FROM bids WHERE task = 't1' AND refused", "2"));
  CHECK(board.rows("SELECT a.name, b.reason FROM bids b JOIN agents a ON a.name = b.agent ORDER BY a.name") ==
        std::vector<std::string>{"left|declined: no GPU", "right|declined: not my thing"});
  CHECK(board.value("SELECT winner IS NULL, bid_count, why FROM auctions") == "1|0|no bids: 2 declined");
  const std::string said = board.must({"explain", "t1"});
  INFO(said);
  CHECK(contains(said, "no bids: 2 declined."));
  CHECK(contains(said, "declined: left (no GPU)"));
  CHECK(contains(said, "declined: right (not my thing)"));
  CHECK(contains(said, "The agents are asked again in "));
  CHECK(contains(said, "declined when last asked: no GPU"));
  CHECK(contains(board.must({"bids", "t1"}), "u1, no bids, sequential"));
  const Value told = board.data({"explain", "t1", "--json"});
  REQUIRE(told.array().size() == 1);
  CHECK(told.array()[0].find("ask_again") != nullptr);
  CHECK(board.value("SELECT state FROM tasks") == "offered");
}
