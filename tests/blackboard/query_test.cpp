#include "blackboard/query/query.hpp"

#include <algorithm>

#include "blackboard/events.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/memory_store.hpp"
#include "blackboard/text/document.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

std::string big_endian(std::uint64_t number) {
  std::string bytes;
  append_big_endian(bytes, number);
  return bytes;
}

Event award(TaskId task, AuctionId auction) {
  TaskAwarded awarded;
  awarded.task = task;
  awarded.agent = AgentId{1};
  awarded.epoch = Epoch{1};
  Auction& decision = awarded.decision;
  decision.id = auction;
  decision.task = task;
  decision.mechanism = "vickrey";
  decision.opened_at = WallTime{1'000'000};
  decision.closed_at = WallTime{2'500'000};
  decision.winner = AgentId{1};
  decision.price = 3'500'000;
  decision.bid_count = 2;
  decision.bids.resize(2);
  decision.bids[0].agent = AgentId{1};
  decision.bids[0].seconds = 2 * one;
  decision.bids[0].score = 2 * one;
  decision.bids[1].agent = AgentId{2};
  decision.bids[1].seconds = 4 * one;
  decision.bids[1].score = 4 * one;
  decision.refusals.push_back({RefusalReason::skill, 2, {AgentId{3}, AgentId{4}}, "needs rust", {}});
  decision.refusals.push_back(
      {RefusalReason::declined, 2, {AgentId{5}, AgentId{6}}, "no GPU", {"no GPU", "asleep"}});
  decision.why = "least score";
  return {WallTime{2'500'000}, awarded};
}

/// Three tasks in one workflow (t2 and t3 need t1), two agents, two auctions over t1, and a log of five
/// events.
struct Fixture {
  MemoryStore store;
  std::vector<Put> puts;
  std::vector<std::string> events;

  Fixture() {
    for (std::uint64_t i = 1; i <= 3; ++i) add_task(i);
    add_agent(1, "scout", {{"search", one}, {"cpp", 500'000}});
    add_agent(2, "coder", {});
    puts.push_back({keys::holding(AgentId{1}, TaskId{2}), ""});
    add_log();
    Workflow workflow;
    workflow.id = WorkflowId{1};
    workflow.name = "audit";
    workflow.tasks = 3;
    workflow.open = 2;
    puts.push_back({keys::workflow(workflow.id), seal(workflow)});
    Discovery discovery;
    discovery.id = DiscoveryId{1};
    discovery.task = TaskId{1};
    discovery.kind = "late_result";
    discovery.title = "it's late";
    puts.push_back({keys::discovery(discovery.id), seal(discovery)});
    Comment comment{CommentId{1}, TaskId{2}, AgentId{1}, WallTime{4'500'000}, "mind the gap"};
    puts.push_back({keys::comment(comment.id), seal(comment)});
    puts.push_back({keys::comment_on(comment.task, comment.id), ""});
    Breaker breaker;
    breaker.name = "a shared account";
    breaker.state = BreakerState::half_open;
    breaker.outage = Outage::rate_limit;
    breaker.openings = 2;
    breaker.probe = TaskId{2};
    breaker.why = "429";
    puts.push_back({keys::breaker(breaker.name), seal(breaker)});
    for (const char* kind : {"lint", "scan"}) {
      Calibration calibration;
      calibration.agent = AgentId{2};
      calibration.kind = kind;
      calibration.samples = 4;
      calibration.seconds_ratio = 2 * one;
      puts.push_back({keys::calibration(AgentId{2}, kind), seal(calibration)});
    }
    REQUIRE(store.commit(Seq{0}, Term{1}, events, puts).has_value());
  }

  void add_task(std::uint64_t number) {
    Task task;
    task.id = TaskId{number};
    task.spec.title = "Task " + std::to_string(number);
    task.spec.project = "demo";
    task.spec.workflow = WorkflowId{1};
    task.spec.name = "step" + std::to_string(number);
    task.spec.priority = number == 3 ? -5 : 70'000;
    task.spec.size = 1'500'000;
    if (number == 2) task.spec.labels = {"blue", "red"};
    task.created_at = WallTime{1'700'000'000'250'000};
    task.state = number == 1 ? TaskState::done : number == 2 ? TaskState::running : TaskState::blocked;
    if (number > 1) {
      task.spec.needs.push_back({TaskId{1}, false});
      puts.push_back({keys::dependent(TaskId{1}, task.id), ""});
      task.open_needs = number == 3;
    } else {
      task.result = "small";
      task.finished_at = WallTime{1'700'000'009'000'000};
    }
    if (number == 2) {
      task.holder = AgentId{1};
      task.epoch = Epoch{300};
      task.result_blob = std::string(16, 'h');
      puts.push_back({keys::blob(task.result_blob), std::string(5'000, 'x')});
    }
    puts.push_back({keys::task(task.id), seal(task)});
    puts.push_back({keys::member(WorkflowId{1}, task.id), ""});
  }
  void add_agent(std::uint64_t number, const std::string& name, std::vector<Skill> skills) {
    Agent agent;
    agent.id = AgentId{number};
    agent.profile.name = name;
    agent.profile.skills = std::move(skills);
    agent.profile.capacity = 2;
    agent.seen_at = WallTime{5'000'000};
    puts.push_back({keys::agent(agent.id), seal(agent)});
    puts.push_back({keys::agent_name(name), big_endian(number)});
  }
  void add_log() {
    events.push_back(seal(Event{WallTime{500'000}, TermStarted{Term{1}, 7}}));
    for (std::uint64_t auction : {1, 2}) {
      events.push_back(seal(award(TaskId{1}, AuctionId{auction})));
      puts.push_back({keys::auction(AuctionId{auction}), big_endian(events.size())});
      puts.push_back({keys::decision(TaskId{1}, AuctionId{auction}), ""});
    }
    events.push_back(seal(Event{WallTime{3'000'000}, TaskStarted{TaskId{1}, Epoch{1}}}));
    events.push_back(seal(Event{WallTime{4'000'000}, AgentLeft{AgentId{2}, "bye"}}));
  }

  Query query(const QueryLimits& limits = {}) { return Query::open(store, limits).value(); }
  /// Cells by '|', rows by line.
  std::string ask(std::string_view sql) {
    const auto table = query().run(sql);
    INFO(sql << "\n" << (table ? "" : table.error().text));
    REQUIRE(table.has_value());
    std::string out;
    for (const auto& row : table->rows) {
      if (!out.empty()) out += '\n';
      for (std::size_t i = 0; i < row.size(); ++i) {
        if (i > 0) out += '|';
        if (const auto* text = std::get_if<std::string>(&row[i]))
          out += *text;
        else if (const auto* whole = std::get_if<std::int64_t>(&row[i]))
          out += std::to_string(*whole);
        else if (const auto* real = std::get_if<double>(&row[i]))
          out += to_json(Value(*real));
        else
          out += "NULL";
      }
    }
    return out;
  }
  Error error(std::string_view sql, const QueryLimits& limits = {}) {
    const auto table = query(limits).run(sql);
    INFO(sql);
    REQUIRE_FALSE(table.has_value());
    return table.error();
  }
};

}  // namespace

TEST_CASE_METHOD(Fixture, "tables have the columns others rely on") {
  const auto columns = [&](const std::string& table) {
    std::string out;
    const QueryTable empty = query().run("SELECT * FROM " + table + " LIMIT 0").value();
    for (const std::string& name : empty.columns) out += (out.empty() ? "" : " ") + name;
    return out;
  };
  CHECK(columns("tasks") ==
        "id title kind project state parent workflow priority holder epoch attempts created_at ready_at "
        "awarded_at "
        "started_at finished_at reason result");
  CHECK(columns("dependencies") == "task needs");
  CHECK(columns("agents") == "id name role parent state skills running capacity pid seen_at");
  CHECK(columns("auctions") == "id task mechanism opened_at closed_at winner price");
  CHECK(columns("bids") == "auction task agent seconds price confidence score refused reason");
  CHECK(columns("discoveries") == "id task agent epoch kind title body project created_at");
  CHECK(columns("workflows") == "id name source state tasks open posted_at finished_at");
  CHECK(columns("calibration") == "agent kind samples seconds_ratio price_ratio success");
  CHECK(columns("log") == "seq at kind task agent body");
  CHECK(columns("comments") == "id task agent at text");
}

TEST_CASE_METHOD(Fixture, "records read back as rows") {
  CHECK(
      ask("SELECT * FROM tasks WHERE id = 't1'") ==
      "t1|Task 1|task|demo|done|NULL|w1|70000|NULL|0|0|1700000000.25|NULL|NULL|NULL|1700000009.0|NULL|small");
  CHECK(ask("SELECT id, state, priority, holder, epoch, length(result), name, size, open_needs FROM tasks") ==
        "t1|done|70000|NULL|0|5|step1|1.5|0\n"
        "t2|running|70000|scout|300|5000|step2|1.5|0\n"
        "t3|blocked|-5|NULL|0|NULL|step3|1.5|1");
  CHECK(ask("SELECT * FROM agents") ==
        "a1|scout|specialist|NULL|live|search=1,cpp=0.5|1|2|NULL|5.0\na2|coder|specialist|NULL|live|NULL|0|2|"
        "NULL|5.0");
  CHECK(ask("SELECT * FROM dependencies") == "t2|t1\nt3|t1");
  CHECK(ask("SELECT * FROM auctions") == "u1|t1|vickrey|1.0|2.5|scout|3.5\nu2|t1|vickrey|1.0|2.5|scout|3.5");
  CHECK(ask("SELECT * FROM bids WHERE auction = 'u2'") ==
        "u2|t1|scout|2.0|0.0|1.0|2.0|0|NULL\nu2|t1|coder|4.0|0.0|1.0|4.0|0|NULL\n"
        "u2|t1|a3|NULL|NULL|NULL|NULL|1|skill: needs rust\nu2|t1|a4|NULL|NULL|NULL|NULL|1|skill: needs rust\n"
        "u2|t1|a5|NULL|NULL|NULL|NULL|1|declined: no GPU\nu2|t1|a6|NULL|NULL|NULL|NULL|1|declined: asleep");
  CHECK(ask("SELECT id, task, kind, title, body FROM discoveries") == "d1|t1|late_result|it's late|NULL");
  CHECK(ask("SELECT id, name, state, tasks, open, finished_at FROM workflows") == "w1|audit|open|3|2|NULL");
  CHECK(ask("SELECT agent, kind, seconds_ratio FROM calibration") == "coder|lint|2.0\ncoder|scan|2.0");
  CHECK(ask("SELECT seq, at, kind, task, agent FROM log") ==
        "1|0.5|term_started|NULL|NULL\n2|2.5|task_awarded|t1|scout\n3|2.5|task_awarded|t1|scout\n4|3.0|task_"
        "started|t1|NULL\n"
        "5|4.0|agent_left|NULL|coder");
  CHECK(ask("SELECT body ->> 'reason' FROM log WHERE seq = 5") == "bye");
  CHECK(ask("SELECT * FROM comments") == "c1|t2|scout|4.5|mind the gap");
  CHECK(ask("SELECT name, state, outage, openings, probe, why FROM breakers") ==
        "a shared account|half open|rate_limit|2|t2|429");
  CHECK(ask("SELECT labels FROM tasks") == "NULL\nblue,red\nNULL");
}

TEST_CASE_METHOD(Fixture, "lookups by key find what a full pass finds") {
  CHECK(ask("SELECT id FROM tasks WHERE id IN ('t3', 't1', 't9', 'x', '') ORDER BY rowid") == "t1\nt3");
  CHECK(ask("SELECT count(*) FROM tasks WHERE id = 't01' OR id = 12 OR id IS NULL") == "0");
  CHECK(ask("SELECT id FROM tasks WHERE id = 'T2' COLLATE NOCASE") == "t2");
  CHECK(ask("SELECT id FROM tasks WHERE workflow = 'w1' AND state = 'done'") == "t1");
  CHECK(ask("SELECT id FROM tasks WHERE workflow = 'w2'").empty());
  CHECK(ask("SELECT needs FROM dependencies WHERE task = 't3'") == "t1");
  CHECK(ask("SELECT task FROM dependencies WHERE needs = 't1'") == "t2\nt3");
  CHECK(ask("SELECT task FROM dependencies WHERE needs = 't3'").empty());
  CHECK(ask("SELECT id FROM agents WHERE name = 'coder'") == "a2");
  CHECK(ask("SELECT id FROM comments WHERE task = 't2'") == "c1");
  CHECK(ask("SELECT id FROM comments WHERE task = 't1' OR task = 'x'").empty());
  CHECK(ask("SELECT task FROM comments WHERE id = 'c1'") == "t2");
  CHECK(ask("SELECT id FROM agents WHERE name = 'nobody'").empty());
  CHECK(ask("SELECT id FROM auctions WHERE task = 't1'") == "u1\nu2");
  CHECK(ask("SELECT count(*) FROM bids WHERE task = 't1' AND NOT refused") == "4");
  CHECK(ask("SELECT count(*) FROM bids WHERE task = 't2'") == "0");
  CHECK(ask("SELECT kind FROM calibration WHERE agent = 'coder' AND kind > 'm'") == "scan");
  CHECK(ask("SELECT count(*) FROM calibration WHERE agent = 'scout'") == "0");
  CHECK(ask("SELECT seq FROM log WHERE seq > 1 AND seq <= 3") == "2\n3");
  CHECK(ask("SELECT seq FROM log WHERE seq > 3.5") == "4\n5");
  CHECK(ask("SELECT seq FROM log WHERE seq BETWEEN 2 AND 4 ORDER BY seq DESC") == "4\n3\n2");
  CHECK(ask("SELECT seq, kind FROM log ORDER BY seq DESC LIMIT 2") == "5|agent_left\n4|task_started");
  CHECK(ask("SELECT count(*) FROM log WHERE seq > 9223372036854775807 OR seq < -9223372036854775808") == "0");
  CHECK(ask("SELECT count(*) FROM log WHERE seq = NULL") == "0");
  CHECK(ask("SELECT count(*) FROM log WHERE seq > 'x'") == "0");
}

TEST_CASE_METHOD(Fixture, "joins, groups, recursion and JSON work") {
  CHECK(ask("SELECT state, count(*) FROM tasks GROUP BY state ORDER BY 2 DESC, 1") ==
        "blocked|1\ndone|1\nrunning|1");
  CHECK(ask("SELECT t.id, a.name FROM tasks t LEFT JOIN agents a ON a.name = t.holder") ==
        "t1|NULL\nt2|scout\nt3|NULL");
  CHECK(ask("SELECT d.task, t.title FROM dependencies d JOIN tasks t ON t.id = d.needs ORDER BY 1") ==
        "t2|Task 1\nt3|Task 1");
  CHECK(ask("WITH RECURSIVE up(id) AS (SELECT 't3' UNION SELECT needs FROM dependencies JOIN up ON task = "
            "up.id) "
            "SELECT id FROM up ORDER BY 1") == "t1\nt3");
  CHECK(ask("SELECT count(*) FROM log, json_each(log.body) WHERE log.seq = 4") == "2");
}

TEST_CASE_METHOD(Fixture, "only SELECT is possible") {
  for (const char* sql : {"INSERT INTO tasks(id) VALUES ('t9')",
                          "DELETE FROM tasks",
                          "UPDATE tasks SET state = 'done'",
                          "DROP TABLE tasks",
                          "CREATE TABLE x(a)",
                          "CREATE TEMP TABLE x AS SELECT 1",
                          "CREATE VIEW v AS SELECT 1",
                          "ATTACH DATABASE '/tmp/bidboard-attached.db' AS x",
                          "PRAGMA writable_schema = 1",
                          "PRAGMA table_info(tasks)",
                          "VACUUM INTO '/tmp/bidboard-vacuumed.db'",
                          "BEGIN",
                          "SAVEPOINT a",
                          "ANALYZE",
                          "REINDEX",
                          "SELECT load_extension('x')",
                          "SELECT * FROM pragma_table_info('tasks')",
                          "CREATE VIRTUAL TABLE x USING tasks",
                          "DETACH main",
                          "EXPLAIN DELETE FROM tasks"}) {
    const Error refusal = error(sql);
    INFO(sql << ": " << refusal.text);
    CHECK((refusal.code == Errc::refused || refusal.code == Errc::invalid));
  }
  CHECK(error("DROP TABLE sqlite_master").code == Errc::refused);
  CHECK(error("CREATE TABLE x(a)").text.starts_with("only SELECT is possible here"));
  CHECK(error("SELECT 1; SELECT 2").text == "more than one statement; ask them one at a time");
  CHECK(error("SELECT 1; DELETE FROM").text == "more than one statement; ask them one at a time");
  CHECK(error(std::string_view("SELECT 1\0; SELECT 2", 19)).code == Errc::invalid);
  CHECK(error("").code == Errc::invalid);
  CHECK(error(" -- nothing").code == Errc::invalid);
  CHECK(ask("SELECT 1; -- and no more") == "1");
}

TEST_CASE_METHOD(Fixture, "a query ends in time and stays in its memory") {
  const QueryLimits brief{milliseconds(50), 1 << 20};
  CHECK(error("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n", brief)
            .code == Errc::timed_out);
  CHECK(error("SELECT count(*) FROM log a, log b, log c, log d, log e, log f, log g, log h, log i, log j, "
              "log k, log l",
              brief)
            .code == Errc::timed_out);
  // Time enough, so that it is the size that ends them, however slow the machine.
  const QueryLimits small{minutes(10), 1 << 20};
  CHECK(error("SELECT zeroblob(1000000000)", small).code == Errc::invalid);
  CHECK(error("SELECT replace(printf('%1000000d', 1), ' ', 'xx')", small).code == Errc::invalid);
  CHECK(error("SELECT group_concat(printf('%1000d', 1), '') FROM log a, log b, log c, log d, log e", small)
            .code == Errc::invalid);
  std::string deep = "SELECT 1";
  for (int i = 0; i < 5'000; ++i) deep += "+(1";
  CHECK(error(deep).code == Errc::invalid);
  CHECK(error("SELECT '" + std::string(300'000, 'x') + "'").text == "the query has more than 256 KB");
  std::string many = "SELECT 1";
  for (int i = 0; i < 200; ++i) many += " UNION ALL SELECT 1";
  CHECK(error(many).code == Errc::invalid);
}

TEST_CASE_METHOD(Fixture, "errors name what is near") {
  CHECK(error("SELECT titel FROM tasks").text == "no such column: titel; did you mean 'title'?");
  CHECK(error("SELECT t.sate FROM tasks t").text == "no such column: t.sate; did you mean 'state'?");
  CHECK(error("SELECT xyzzy FROM dependencies").text ==
        "no such column: xyzzy; dependencies has task, needs");
  CHECK(error("SELECT * FROM taks").text == "no such table: taks; did you mean 'tasks'?");
  CHECK(error("SELECT * FROM nothing_like_it").text ==
        "no such table: nothing_like_it; the tables are tasks, dependencies, agents, auctions, bids, "
        "discoveries, "
        "workflows, calibration, log, comments, breakers, spending");
  CHECK(error("SELECT id FROM tasks WHERE state = \"done\"").text ==
        "no such column: done; text goes in single quotes: 'done'");
  CHECK(error("SELECT id FORM tasks").text == "near \"tasks\": syntax error (at character 16)");
}

TEST_CASE_METHOD(Fixture, "a record that does not decode is an error, unless its columns are not asked for") {
  std::string broken = seal(Task{});
  broken.back() = static_cast<char>(broken.back() + 1);
  const std::vector<Put> damage{
      {keys::task(TaskId{4}), broken}, {keys::agent(AgentId{4}), "x"}, {"Tshort", "y"}};
  REQUIRE(store.commit(store.last_seq(), Term{1}, {}, damage).has_value());
  CHECK(error("SELECT title FROM tasks").code == Errc::corrupt);
  CHECK(error("SELECT title FROM tasks").text ==
        "t4: a stored value fails its checksum; run bidboard doctor");
  CHECK(error("SELECT name FROM agents").code == Errc::corrupt);
  CHECK(ask("SELECT count(*) FROM tasks") == "4");
  CHECK(ask("SELECT title FROM tasks WHERE id = 't1'") == "Task 1");
}

TEST_CASE_METHOD(Fixture, "rows are delivered one by one until the receiver has enough") {
  std::vector<std::string> seen;
  std::size_t columns = 0;
  const auto done = query().run("SELECT id FROM tasks",
                                {[&](const std::vector<std::string>& names) { columns = names.size(); },
                                 [&](std::span<const SqlValue> row) {
                                   seen.emplace_back(std::get<std::string_view>(row[0]));
                                   return seen.size() < 2;
                                 }});
  CHECK(done.has_value());
  CHECK(columns == 1);
  CHECK(seen == std::vector<std::string>{"t1", "t2"});
}

TEST_CASE_METHOD(Fixture, "--where gives ids, in order, for one expression") {
  CHECK(query().ids_where("tasks", "state <> 'done'") == std::vector<std::string>{"t2", "t3"});
  CHECK(query().ids_where("tasks", "id IN ('t3', 't2') -- comment") == std::vector<std::string>{"t2", "t3"});
  CHECK(query().ids_where("agents", "running > 0") == std::vector<std::string>{"a1"});
  CHECK(query().ids_where("tasks", "staet = 'done'").error().text ==
        "no such column: staet; did you mean 'state'?");
  CHECK(query().ids_where("dependencies", "1").error().code == Errc::invalid);
  CHECK(query().ids_where("tasks; DROP TABLE x", "1").error().code == Errc::invalid);
  CHECK(query().ids_where("tasks", "1); DELETE FROM tasks; --").error().code == Errc::invalid);
}

TEST_CASE("many rows come in order, whatever the chunks") {
  MemoryStore store;
  std::vector<Put> puts;
  for (std::uint64_t i = 1; i <= 3'000; ++i) {
    Task task;
    task.id = TaskId{i};
    task.spec.title = std::string(i % 700, 'x');
    task.state = i % 3 == 0 ? TaskState::done : TaskState::ready;
    puts.push_back({keys::task(task.id), seal(task)});
  }
  REQUIRE(store.commit(Seq{0}, Term{1}, {}, puts).has_value());
  Query query = Query::open(store).value();
  std::uint64_t next = 1;
  const auto done =
      query.run("SELECT id, length(title) FROM tasks",
                {nullptr, [&](std::span<const SqlValue> row) {
                   CHECK(std::get<std::string_view>(row[0]) == to_string(TaskId{next}));
                   CHECK(std::get<std::int64_t>(row[1]) == static_cast<std::int64_t>(next % 700));
                   ++next;
                   return true;
                 }});
  CHECK(done.has_value());
  CHECK(next == 3'001);
  const QueryTable table = query.run("SELECT state, count(*) FROM tasks GROUP BY state").value();
  CHECK(table.rows == std::vector<std::vector<QueryTable::Cell>>{{"done", std::int64_t{1'000}},
                                                                 {"ready", std::int64_t{2'000}}});
}

TEST_CASE("the schema names every table and column") {
  const std::string schema = Query::schema();
  CHECK(schema.find("CREATE TABLE tasks (\n  id TEXT,") != std::string::npos);
  CHECK(schema.find("(not part of *)") != std::string::npos);
  CHECK(std::count(schema.begin(), schema.end(), '(') >= 9);
}
