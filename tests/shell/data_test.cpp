// Output for programs: JSON with its envelope, CSV, SQL over the present and the past, offline auctions,
// traces.
#include <filesystem>
#include <fstream>

#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

const Value& member(const Value& value, const std::string& key) {
  INFO(to_json(value) << " has no " << key);
  const Value* found = value.find(key);
  REQUIRE(found != nullptr);
  return *found;
}

}  // namespace

TEST_CASE("Every list and show prints JSON in the envelope") {
  const TestBoard board;
  board.must({"post", "first", "--skill", "cpp>=0.5"});
  board.must({"claim", "t1", "--as", "me", "--skill", "cpp"});
  board.must({"done", "t1", "--as", "me", "--result", R"({"files": 3})"});
  board.must({"post", "second", "--need", "t1"});
  for (const std::vector<std::string>& words : {std::vector<std::string>{"tasks"},
                                                {"ready"},
                                                {"show", "t1"},
                                                {"agents", "--all"},
                                                {"explain", "t1"},
                                                {"bids", "t1"},
                                                {"status"},
                                                {"query", "SELECT * FROM tasks"},
                                                {"doctor"}}) {
    std::vector<std::string> with_json = words;
    with_json.push_back("--json");
    INFO(words.front());
    board.data(with_json);
  }
  CHECK(board.data({"tasks", "--json"}).array().size() == 2);
  CHECK(board.data({"tasks", "--where", "state = 'done'", "--json"}).array().size() == 1);
  const Value shown = board.data({"show", "t1", "--json"});
  CHECK(member(member(shown, "result"), "files") == Value(3));
  CHECK(member(shown, "holder") == Value("me"));
  for (const std::string& line : lines_of(board.must({"log", "--json", "--all"})))
    CHECK(parse_json(line).has_value());
}

TEST_CASE("post and claim answer programs with one object") {
  const TestBoard board;
  const Value posted = board.json({"post", "a", "--json", "--key", "k"});
  CHECK(member(posted, "id") == Value("t1"));
  CHECK(member(posted, "existed") == Value(false));
  CHECK(member(board.json({"post", "a", "--json", "--key", "k"}), "existed") == Value(true));
  const Value claimed = board.json({"claim", "t1", "--as", "me", "--json"});
  CHECK(member(claimed, "task") == Value("t1"));
  CHECK(member(claimed, "epoch") == Value(1));
}

TEST_CASE("query answers in tables, CSV and JSON, about now and about then") {
  const TestBoard board;
  board.must({"post", "with, comma and \"quotes\""});
  board.must({"post", "plain"});
  CHECK(board.must({"query", "SELECT id, title FROM tasks", "--csv"}) ==
        "id,title\nt1,\"with, comma and \"\"quotes\"\"\"\nt2,plain");
  const Value rows = board.data({"query", "SELECT id, priority FROM tasks ORDER BY id DESC", "--json"});
  REQUIRE(rows.array().size() == 2);
  CHECK(member(rows.array().front(), "id") == Value("t2"));
  CHECK(member(rows.array().front(), "priority") == Value(0));
  CHECK(contains(board.must({"query", "-"}, "SELECT count(*) AS n FROM tasks"), "n\n2"));
  CHECK(contains(board.must({"query", ".schema"}), "CREATE TABLE tasks ("));
  CHECK(contains(board.must({"query", ".schema bids"}), "CREATE TABLE bids ("));
  CHECK_FALSE(contains(board.must({"query", ".schema bids"}), "CREATE TABLE tasks ("));
  CHECK(board.must({"query", ".tables"}).starts_with("tasks\ndependencies\n"));
  CHECK(board.run({"query", ".schema nope"}).exit_code == 3);
  CHECK(board.run({"query", ".nope"}).exit_code == 2);
  const std::string first = board.value("SELECT min(seq) FROM log WHERE kind = 'task_posted'");
  CHECK(contains(board.must({"query", "SELECT count(*) AS n FROM tasks", "--at", first}), "n\n1"));
  const Finished prompt = board.run({"query"}, "SELECT count(*) AS n\nFROM tasks;\n.quit\n");
  INFO(prompt.out << prompt.err);
  CHECK(prompt.exit_code == 0);
  CHECK(contains(prompt.out, "n\n2"));
}

TEST_CASE("tasks and show tell the past with --at, as query does") {
  const TestBoard board;
  board.must({"post", "first"});
  const std::string then = board.value("SELECT max(seq) FROM log");
  board.must({"post", "second"});
  board.must({"claim", "t1", "--as", "me"});
  board.must({"done", "t1", "--as", "me", "--result", "7"});
  const std::string past = board.must({"tasks", "--at", then});
  CHECK_FALSE(contains(past, "second"));
  CHECK(contains(past, " 0s ago "));  // then, not now
  CHECK(contains(board.must({"show", "t1", "--at", then}), "t1  ready  first"));
  CHECK(*board.data({"show", "t1", "--at", then, "--json"}).find("state") == Value("ready"));
  CHECK(board.run({"show", "t2", "--at", then}).exit_code == 3);
  CHECK(board.run({"tasks", "--at", "999"}).exit_code == 3);
}

TEST_CASE("search finds words in titles, bodies, reasons, results and discoveries") {
  const TestBoard board;
  board.must({"post", "Fix the LOGIN", "--body", "first line\nthe session times out after login\nlast"});
  board.must({"post", "other", "--attempts", "1"});
  board.must({"claim", "t2", "--as", "me"});
  board.must({"done", "t2", "--as", "me", "--result", "all sessions end"});
  CHECK(board.run({"done", "t2", "--as", "me", "--result", "a late session"}).exit_code == 5);
  const std::string found = board.must({"search", "session"});
  CHECK(contains(found, "the session times out after login\n"));
  CHECK(contains(found, "all sessions end"));
  CHECK(contains(found, "a late session"));
  CHECK_FALSE(contains(found, "first line"));
  CHECK(board.data({"search", "login", "the", "--json"}).array().size() == 2);
  CHECK(board.run({"search", "login", "nowhere"}).exit_code == 3);
}

TEST_CASE("Agents have their names in every table, so that all of them join agents.name") {
  const TestBoard board;
  board.must({"post", "a"});
  board.must({"claim", "t1", "--as", "runner1"});
  board.must({"done", "t1", "--as", "runner1"});
  CHECK(board.run({"done", "t1", "--as", "runner1", "--result", "late"}).exit_code == 5);
  for (const char* column : {"holder FROM tasks", "winner FROM auctions", "agent FROM discoveries",
                             "agent FROM log WHERE kind = 'task_awarded'"})
    CHECK(board.value(std::string("SELECT ") + column) == "runner1");
  CHECK(board.value("SELECT count(*) FROM tasks JOIN agents ON agents.name = tasks.holder") == "1");
}

TEST_CASE("Hostile SQL is refused, changes nothing and ends") {
  const TestBoard board;
  board.must({"post", "stays"});
  for (const char* sql :
       {"DROP TABLE tasks", "DELETE FROM tasks", "INSERT INTO tasks(id) VALUES ('t9')", "ATTACH 'x.db' AS x",
        "VACUUM INTO 'x.db'", "PRAGMA writable_schema = 1", "SELECT load_extension('/tmp/x.so')",
        "SELECT 1; DROP TABLE tasks", "SELECT writefile('x.db', 'y')", "SELECT readfile('/etc/passwd')",
        "CREATE TEMP TRIGGER x AFTER INSERT ON tasks BEGIN SELECT 1; END", "BEGIN EXCLUSIVE"}) {
    const Finished refused = board.run({"query", sql});
    INFO(sql << "\n" << refused.out << refused.err);
    CHECK((refused.exit_code == 4 || refused.exit_code == 2));
    CHECK_FALSE(refused.err.empty());
  }
  const Finished endless =
      board.run({"query",
                 "SELECT count(*) FROM log a, log b, log c, log d, log e, log f, log g, log h, log i, log j, "
                 "log k, log l, log m, log n, log o, log p, log q, log r, log s, log t, log u, log v, log w, "
                 "log x, log y, log z, log aa, log bb, log cc, log dd",
                 "--time-limit", "100ms"});
  CHECK(endless.exit_code == 7);
  const Finished huge = board.run({"query", "SELECT length(zeroblob(2000000000))"});
  CHECK(huge.exit_code != 0);
  CHECK(huge.exit_code < 128);
  CHECK_FALSE(std::filesystem::exists(board.path("x.db")));
  CHECK(board.value("SELECT title FROM tasks") == "stays");
}

TEST_CASE("Text that looks like options, SQL or escapes stays text") {
  const TestBoard board;
  const std::string title = "'; DROP TABLE tasks; -- $(touch pwned) `touch pwned` \xc3\xa9 %s %n";
  board.must({"post", "--", title});
  CHECK(board.value("SELECT title FROM tasks") == title);
  CHECK(contains(board.must({"tasks"}), title));
  CHECK(contains(board.must({"graph"}), "digraph"));
  CHECK_FALSE(std::filesystem::exists(board.path("pwned")));
}

TEST_CASE("An auction is cleared offline by every mechanism, and every answer names awards and their total") {
  const TestBoard board(false);
  board.write("bids.json",
              R"({"tasks": ["t1", "t2"], "agents": [{"id": "a1", "capacity": 1}, {"id": "a2", "capacity": 1}],
      "bids": [{"task": "t1", "agent": "a1", "cost": 10}, {"task": "t1", "agent": "a2", "cost": 12},
               {"task": "t2", "agent": "a1", "cost": 11}, {"task": "t2", "agent": "a2", "cost": 40}]})");
  for (const char* mechanism : {"first_price", "vickrey", "sequential", "optimal"}) {
    const Value answer = board.json({"auction", "solve", "bids.json", "--mechanism", mechanism});
    INFO(to_json(answer));
    CHECK(member(answer, "awards").array().size() == 2);
    for (const Value& award : member(answer, "awards").array())
      for (const char* key : {"task", "agent", "cost", "price"}) member(award, key);
    CHECK(member(answer, "total_cost").is_number());
  }
  const Value best = board.json({"auction", "solve", "bids.json", "--mechanism", "optimal"});
  CHECK(member(best, "total_cost").number() == 23);
  CHECK(best.find("certificate") != nullptr);
  CHECK(board.run({"auction", "solve", "bids.json", "--mechanism", "lottery"}).exit_code == 2);
  board.write("bad.json", "{\"tasks\": [}");
  const Finished bad = board.run({"auction", "solve", "bad.json"});
  CHECK(bad.exit_code == 2);
  CHECK(contains(bad.err, "bad.json: 1:12"));
}

TEST_CASE("run executes a job from nothing: a temporary board, its agents, the result, the exit code") {
  const TestBoard board(false);
  board.write("job.yaml",
              "tasks:\n  one: {run: echo 1}\n  two: {run: echo 2, needs: [one]}\n  sum: {run: 'echo all "
              "good', needs: [one, two]}\n");
  const Finished ran = board.run({"run", "job.yaml"});
  INFO(ran.out << ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(contains(ran.out, "all good"));
  CHECK(contains(ran.out, "done: 3 of 3 tasks"));
  CHECK(board.run({"tasks"}).exit_code == 3);  // the temporary board is gone
  const Value summary = board.data({"run", "job.yaml", "--json"});
  CHECK(member(summary, "done") == Value(3));
  board.write(
      "fails.yaml",
      "tasks:\n  a: {run: 'echo no such thing >&2; exit 3', attempts: 1}\n  b: {run: echo, needs: [a]}\n");
  const Finished failed = board.run({"run", "fails.yaml"});
  CHECK(failed.exit_code == 1);
  CHECK(contains(failed.out, "no such thing"));
}

TEST_CASE("run times out, and says so with its own exit code") {
  const TestBoard board(false);
  board.write("slow.yaml", "tasks:\n  a: {run: sleep 1000}\n");
  const Finished ran = board.run({"run", "slow.yaml", "--time-limit", "300ms", "--quiet"});
  INFO(ran.err);
  CHECK(ran.exit_code == 7);
}

TEST_CASE("A recorded workflow runs on simulated agents, under an auction and first come first served") {
  std::string trace = BIDBOARD_SOURCE_DIR "/../shared/data/wfinstances/helloworld-forkjoin-10-chameleon.json";
  if (!std::filesystem::exists(trace)) {
    WARN("skipped: there is no " << trace);
    return;
  }
  const TestBoard board(false);
  for (const char* strategy : {"auction", "fifo"}) {
    const Value summary =
        board.data({"run", trace, "--agents", "4", "--strategy", strategy, "--scale", "0.001", "--json"});
    INFO(to_json(summary));
    CHECK(member(summary, "done") == member(summary, "tasks"));
    CHECK(member(summary, "tasks").integer() >= 10);
    CHECK(member(summary, "not_done").array().empty());
  }
}
