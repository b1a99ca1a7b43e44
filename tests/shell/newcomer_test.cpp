// Mistakes of new users: each has an exit code and a message that says what is wrong, why, and what to do
// next.
#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

struct Mistake {
  std::vector<std::string> words;
  int exit_code;
  std::string says;
};

void check(const TestBoard& board, const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    const Finished finished = board.run(mistake.words);
    std::string line = "bidboard";
    for (const std::string& word : mistake.words) line += " " + word;
    INFO(line << "\n" << finished.out << finished.err);
    CHECK(finished.exit_code == mistake.exit_code);
    CHECK(contains(finished.err, mistake.says));
    CHECK(finished.err.starts_with("bidboard: "));
    CHECK(finished.out.empty());
  }
}

}  // namespace

TEST_CASE("Without a board every command says how to make one") {
  const TestBoard board(false);
  for (const char* command :
       {"tasks", "ready", "agents", "status", "log", "graph", "up", "down", "controller", "query .schema"})
    check(board, {{lines_of(std::string(command) == "query .schema" ? "query\n.schema" : command), 3,
                   "`bidboard init` makes one"}});
  check(board, {{{"post", "first"}, 3, "`bidboard init` makes one"},
                {{"show", "t1"}, 3, "`bidboard init` makes one"},
                {{"claim", "t1", "--as", "me"}, 3, "`bidboard init` makes one"},
                {{"agent", "--name", "a", "--simulate"}, 3, "`bidboard init` makes one"},
                {{"-C", "/nowhere/at/all", "tasks"}, 3, "`bidboard -C /nowhere/at/all init` makes one"}});
}

TEST_CASE("Unknown commands, options and missing arguments are usage errors with a suggestion") {
  const TestBoard board;
  check(board,
        {{{"tsks"}, 2, "did you mean 'tasks'?"},
         {{"clam", "t1"}, 2, "did you mean 'claim'?"},
         {{"list"}, 2, "unknown command 'list'; use `bidboard tasks`"},
         {{"ls"}, 2, "use `bidboard tasks`"},
         {{"close", "t1"}, 2, "use `bidboard done`"},
         {{"stop"}, 2, "use `bidboard down` or `bidboard cancel`"},
         {{"start"}, 2, "use `bidboard up`"},
         {{"add", "x"}, 2, "use `bidboard post`"},
         {{"xyzzy"}, 2, "`bidboard --help` lists the commands"},
         {{"--frobnicate"}, 2, "`bidboard --help` lists the commands"},
         {{"post"}, 2, "TITLE is missing; see `bidboard post --help`"},
         {{"post", "a", "--frobnicate"}, 2, "unknown option '--frobnicate'; see `bidboard post --help`"},
         {{"post", "x", "--sklil", "cpp"}, 2, "unknown option '--sklil'; did you mean '--skill'?"},
         {{"post", "x", "--sklil=cpp"}, 2, "unknown option '--sklil'; did you mean '--skill'?"},
         {{"post", "x", "--where", "a"}, 2, "unknown option '--where'; see `bidboard post --help`"},
         {{"post", "x", "-z"}, 2, "unknown option '-z'; see `bidboard post --help`"},
         {{"post", "Fix", "the", "login"},
          2,
          "too many words; if 'Fix the login' is one TITLE, put it into quotes: \"Fix the login\""},
         {{"show", "t1", "t2"}, 2, "too many words: 't2'; see `bidboard show --help`"},
         {{"tasks", "running"}, 2, "too many words: 'running'; see `bidboard tasks --help`"},
         {{"post", "a", "--size"}, 2, "--size needs a value: --size SECONDS; see `bidboard post --help`"},
         {{"tasks", "--json=x"}, 2, "--json takes no value"},
         {{"show"}, 2, "TASK is missing; see `bidboard show --help`"},
         {{"help", "tsks"}, 2, "no help on 'tsks'; did you mean 'tasks'?"},
         {{"help", "stratgies"}, 2, "did you mean 'strategies'?"},
         {{"help", "xyzzy"}, 2, "`bidboard help` lists commands and topics"},
         {{"completion", "tcsh"}, 2, "use bash, zsh or fish"},
         {{"auction", "sell", "x"}, 2, "bidboard auction solve FILE"},
         {{"init", "--strategy", "dictator"}, 2, "unknown strategy 'dictator'"},
         {{"init", "--mechanism", "lottery"}, 2, "lottery"}});
  const Finished nothing = board.run({});
  CHECK(nothing.exit_code == 2);
  CHECK(contains(nothing.err, "Usage: bidboard"));
}

TEST_CASE("Values that cannot be meant are usage errors") {
  const TestBoard board;
  board.must({"post", "first"});
  check(board,
        {{{"show", "x"}, 2, "'x' is not a task id; write t12 or 12"},
         {{"post", "a", "--need", "t1x"}, 2, "'t1x' is not a task id"},
         {{"post", "a", "--need", "t1:some"}, 2, "t12:any"},
         {{"post", "a", "--timeout", "5x"},
          2,
          "'5x' is not a duration; write for example 250ms, 60s, 5m or 2h"},
         {{"post", "a", "--size", "-1"}, 2, "--size must be a number from 0 to 31622400, not '-1'"},
         {{"post", "a", "--size", "big"}, 2, "--size must be a number"},
         {{"post", "a", "--size", "nan"}, 2, "--size must be a number"},
         {{"post", "a", "--size", "0x10"}, 2, "--size must be a number"},
         {{"post", "a", "--budget", "-5"}, 2, "--budget must be a number from 0"},
         {{"post", "a", "--budget", "inf"}, 2, "--budget must be a number from 0"},
         {{"post", "a", "--priority", "-9223372036854775808"}, 2, "--priority must be a whole number"},
         {{"post", "a", "--stall-after", "-1"}, 2, "is not a duration"},
         {{"done", "t1", "--as", "me", "--price=-1"}, 2, "--price must be a number from 0"},
         {{"done", "t1", "--as", "me", "--tokens=-1"}, 2, "--tokens must be a whole number from 0"},
         {{"progress", "nan", "--task", "t1", "--as", "me"}, 2, "from 0 to 1, not 'nan'"},
         {{"tasks", "--limit", "-1"}, 2, "--limit must be a whole number from 0"},
         {{"log", "--from", "-1"}, 2, "--from must be a whole number from 0"},
         {{"claim", "t1", "--as", "me", "--skill", "cpp=nan"}, 2, "is not a skill"},
         {{"run", "job.yaml", "--scale", "-1"}, 2, "--scale must be a number from 0"},
         {{"post", "a", "--attempts", "0"}, 2, "from 1 to 1000"},
         {{"post", "a", "--skill", "c++ >= x"}, 2, "is not a skill"},
         {{"post", "a", "--priority", "high"}, 2, "--priority"},
         {{"post", ""}, 2, "needs a title"},
         {{"claim", "--as", "me"}, 2, "name a task, or use --next"},
         {{"claim", "t1"}, 2, "--as NAME"},
         {{"progress", "2", "--task", "t1", "--as", "me"}, 2, "from 0 to 1"},
         {{"progress", "0.5"}, 2, "name the task"},
         {{"tasks", "--state", "runing"}, 2, "did you mean 'running'?"},
         {{"tasks", "--state", "xyzzy"}, 2, "the states are blocked, ready"},
         {{"tasks", "--where", "bogus = 1"}, 2, "no such column: bogus"},
         {{"graph", "--workflow", "x"}, 2, "w3"},
         {{"agent", "--name", "a"}, 2, "has no way to do a task; add --exec CMD"},
         {{"agent", "--name", "a", "--exec", "x", "--simulate"}, 2, "use only one of"},
         {{"agent", "--name", "a", "--exec", "x", "--capacity", "0"}, 2, "--capacity"},
         {{"agent", "--description", R"({"name": "a", "exce": "x"})"}, 2, "did you mean 'exec'?"},
         {{"agent", "--description", "@nowhere.json"}, 3, "nowhere.json"},
         {{"agent", "--description", "{name: a, exec: x}", "--speed", "2"}, 2, "with --description"},
         {{"query", "SELECT 1", "--csv", "--json"}, 2, "use only one of"},
         {{"run", "job.yaml", "--agents", "-3"}, 2, "--agents must be a whole number from 0 to 1000"}});
}

TEST_CASE("A number is one at the shell exactly when it is one in a file") {
  const TestBoard board;
  for (const std::string number : {"0x10", "0o17", "1_000", "nan", "1e3", ".5", "+5", "007"}) {
    board.write("job.yaml",
                "agents: [{name: w, allow_run: true}]\ntasks: {a: {run: 'true', size: " + number + "}}\n");
    const Finished posted = board.run({"post", "a task", "--size", number});
    const Finished job = board.run({"run", "job.yaml"});
    INFO(number << "\n" << posted.err << job.err);
    CHECK(posted.exit_code == job.exit_code);
    CHECK((job.exit_code == 0 || contains(job.err, "a number from 0 to 31622400")));
  }
}

TEST_CASE("What does not exist is not found") {
  const TestBoard board;
  board.must({"post", "first"});
  check(board, {{{"show", "t99"}, 3, "no task t99"},
                {{"explain", "t99"}, 3, "no task t99"},
                {{"bids", "99"}, 3, "no task t99"},
                {{"claim", "t99", "--as", "me"}, 3, "no task t99"},
                {{"cancel", "t99"}, 3, "no task t99"},
                {{"retry", "t99"}, 3, "no task t99"},
                {{"post", "a", "--need", "t9"}, 3, "needs t9, which does not exist"},
                {{"post", "a", "--body", "@nothing.md"}, 3, "cannot read nothing.md"},
                {{"reassign", "t1", "nobody"}, 3, "no agent called 'nobody'"},
                {{"done", "t1", "--as", "nobody"}, 3, "no agent called 'nobody'"},
                {{"output", "t1"}, 3, "t1 has no output: it was never awarded"},
                {{"query", "SELECT 1", "--at", "999"}, 3, "--at must be an event number up to 3"},
                {{"trust", "nowhere"}, 3, "no folder nowhere"},
                {{"run", "nothing.yaml"}, 3, "cannot read nothing.yaml"},
                {{"auction", "solve", "nothing.json"}, 3, "cannot read nothing.json"}});
}

TEST_CASE("What the rules or the state of things forbid says why") {
  const TestBoard board;
  board.must({"post", "first"});
  board.must({"post", "for experts", "--skill", "cpp>=0.7"});
  board.must({"post", "later", "--need", "t1"});
  board.must({"claim", "t1", "--as", "me"});
  check(board,
        {{{"claim", "t2", "--as", "me"}, 4, "cpp"},
         {{"claim", "t2", "--as", "you", "--skill", "cpp=0.5"}, 4, "cpp"},
         {{"query", "DELETE FROM tasks"}, 4, "only SELECT is possible"},
         {{"query", "UPDATE tasks SET state = 'done'"}, 4, "only SELECT is possible"},
         {{"query", "CREATE TABLE mine (x)"}, 4, "only SELECT is possible"},
         {{"query", "ATTACH '/etc/passwd' AS x"}, 4, "only SELECT is possible"},
         {{"claim", "t1", "--as", "you"}, 5, "t1 is awarded, held by me"},
         {{"claim", "t3", "--as", "you"}, 5, "t3 is blocked: it needs t1 (awarded)"},
         {{"done", "t1", "--as", "you"}, 5, "t1 is held by me, not by you"},
         {{"done", "t1", "--as", "me", "--epoch", "9"}, 5, "t1 has no epoch 9; its last one is 1"},
         {{"done", "t3"}, 5, "nobody holds it"},
         {{"retry", "t1"}, 5, "t1 is awarded"},
         {{"claim", "--next", "--wait", "--as", "me"}, 6, "`bidboard up`"},
         {{"agent", "--name", "a", "--simulate", "--patience", "10ms"}, 6, "`bidboard up`"},
         {{"query", "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x+1 FROM c) SELECT count(*) FROM c",
           "--time-limit", "50ms"},
          7,
          "longer than 50"}});
  CHECK(board.must({"tasks", "--state", "awarded", "--json"}) != "");
}

TEST_CASE("A dependency that closes a cycle is refused, and the cycle is spelled out") {
  const TestBoard board;
  board.must({"post", "a"});
  board.must({"post", "b", "--need", "t1"});
  board.must({"post", "c", "--need", "t2"});
  check(board, {{{"dep", "t1", "t3"}, 2, "a dependency cycle: t1 needs t3 needs t2 needs t1"},
                {{"dep", "t1", "t1"}, 2, "a dependency cycle: t1 needs t1"}});
  CHECK(board.value("SELECT count(*) FROM dependencies") == "2");
}

TEST_CASE("All mistakes of a job file are told at once, each with its line and column") {
  const TestBoard board;
  board.write("bad.yaml",
              "name: bad\nstrateg: fifo\ntasks:\n  a: {run: echo, needs: [b]}\n  b: {run: echo, needs: [a]}\n"
              "  c: {run: echo, needs: [nobody], timeout: soon}\n  d: {titel: x, run: y}\n");
  const Finished bad = board.run({"run", "bad.yaml"});
  INFO(bad.err);
  CHECK(bad.exit_code == 2);
  for (const char* finding :
       {"bad.yaml:2:1: unknown key 'strateg'; did you mean 'strategy'?",
        "bad.yaml:4:3: a cycle: 'a' needs 'b' needs 'a'",
        "bad.yaml:6:26: task 'c': needs unknown task 'nobody'", "bad.yaml:6:44: task 'c': 'timeout'",
        "bad.yaml:7:7: task 'd': unknown key 'titel'; did you mean 'title'?"})
    CHECK(contains(bad.err, finding));
  CHECK(board.value("SELECT count(*) FROM tasks") == "0");
  board.write("strategy.yaml", "strategy: fiffo\ntasks: {a: {run: echo}}\n");
  board.write("broken.yaml", "tasks:\n  a: {run: [echo}\n");
  board.write("empty.yaml", "");
  check(board, {{{"run", "strategy.yaml"},
                 2,
                 "strategy.yaml:1:11: 'strategy' 'fiffo' is not known; did you mean 'fifo'?"},
                {{"run", "broken.yaml"}, 2, "broken.yaml:2:"},
                {{"run", "empty.yaml"}, 2, "empty.yaml"}});
}

TEST_CASE("Mistakes in bidboard.yaml keep the board down and are told with line and column") {
  const TestBoard board;
  board.write("bidboard.yaml", "strategy: fiffo\nlease: 1s\nheartbeat: 1s\nagents:\n- {name: x, exce: y}\n");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"up"}, std::vector<std::string>{"up", "--detach"}}) {
    const Finished up = board.run(words);
    INFO(up.err);
    CHECK(up.exit_code == 2);
    for (const char* finding :
         {"bidboard.yaml:1:11: ", "bidboard.yaml:2:8: ", "bidboard.yaml:5:13: agent 'x': unknown key 'exce'"})
      CHECK(contains(up.err, finding));
  }
  CHECK(contains(board.must({"down"}), "Nothing is running"));
}

TEST_CASE("Only a folder with a board can be trusted") {
  const TestBoard board(false);
  board.write("notes.txt", "no board");
  check(board, {{{"trust", "notes.txt"}, 2, "notes.txt is not a folder"},
                {{"trust", "."}, 3, "no board in " + board.home() + " that you can read"}});
  CHECK(board.read("../.config/bidboard/trusted").empty());
}

TEST_CASE("A search for an empty word is a usage error: every text would have it") {
  const TestBoard board;
  board.must({"post", "first"});
  check(board, {{{"search", ""}, 2, "a word to search for is empty"},
                {{"search", "first", ""}, 2, "a word to search for is empty"}});
}

TEST_CASE("The help has each heading once") {
  const TestBoard board(false);
  for (const std::vector<std::string>& words : {std::vector<std::string>{"help"}, {"--help"}}) {
    std::set<std::string> headings;
    for (const std::string& line : lines_of(board.must(words))) {
      INFO(line);
      const bool is_heading = !line.empty() && line.find_first_of(" :") == line.npos;
      if (is_heading) CHECK(headings.insert(line).second);
    }
    CHECK(headings.contains("Insight"));
  }
}
