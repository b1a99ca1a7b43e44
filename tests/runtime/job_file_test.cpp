#include "runtime/jobs/job_file.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const KnownNames known{{"auction", "blackboard", "central", "fifo"},
                       {"first_price", "optimal", "sequential", "vickrey"}};

Plan plan_of(std::string_view text) {
  auto plan = read_plan(text, "jobs/audit.yaml", known);
  INFO((plan ? "" : plan.error().text));
  REQUIRE(plan.has_value());
  return *plan;
}

std::string error_of(std::string_view text) {
  const auto plan = read_plan(text, "job.yaml", known);
  REQUIRE_FALSE(plan.has_value());
  CHECK(plan.error().code == Errc::invalid);
  return plan.error().text;
}

// A job that uses every key at least once.
constexpr std::string_view full_job = R"(
name: audit
project: demo
strategy: auction
mechanism: sequential
agents:
  - {name: scout, count: 2, secrets: [KEY], skills: {search: 1.0, cpp: 0.8}, speed: 1.5, capacity: 2, allow_run: true, exec: "cat", input: json,
     bid: "bid.sh", price_per_second: 0.01}
  - {name: boss, role: manager}
  - {name: worker, parent: boss, skills: [cpp, "search=0.5"], executor: simulated, cost: "2 * size / speed", project: demo}
tasks:
  scan: {run: "git ls-files", skills: [search], size: 1, timeout: 60s}
  lint: {run: "./lint.sh", needs: [scan], skills: ["cpp >= 0.5"], attempts: 2}
  more: {title: "More", body: "text", kind: lint, project: other, priority: -3, needs: "scan:any", stall_after: 10s,
         repeatable: false, budget: 2.5, size: 0.25, labels: [red, blue, red]}
  last: {run: "true", env: {LEVEL: "3"}, secrets: [KEY], dir: sub}
)";

}  // namespace

TEST_CASE("a job file gives the job's name and coordination") {
  const Plan plan = plan_of(full_job);
  CHECK(plan.name == "audit");
  CHECK(plan.source == "jobs/audit.yaml");
  CHECK(plan.project == "demo");
  CHECK(plan.strategy == "auction");
  CHECK(plan.mechanism == "sequential");
}

TEST_CASE("a job file becomes agents, count unfolded, with every default filled in") {
  const Plan plan = plan_of(full_job);
  REQUIRE(plan.agents.size() == 4);
  CHECK(plan.agents[0].profile.name == "scout1");
  CHECK(plan.agents[1].profile.name == "scout2");
  const PlannedAgent& scout = plan.agents[1];
  CHECK(scout.profile.skills == std::vector<Skill>{{"search", one}, {"cpp", 800'000}});
  CHECK(scout.profile.speed == 1'500'000);
  CHECK(scout.profile.capacity == 2);
  CHECK(scout.profile.allow_run);
  CHECK(scout.profile.bids == BidStyle::live);
  CHECK(scout.bid == "bid.sh");
  CHECK(scout.exec == "cat");
  CHECK(scout.json_input);
  CHECK(scout.profile.price_per_second == 10'000);
  CHECK(scout.executor == ExecutorKind::command);
  CHECK(plan.agents[2].profile.role == Role::manager);
  const PlannedAgent& worker = plan.agents[3];
  CHECK(worker.profile.name == "worker");
  CHECK(worker.profile.parent == "boss");
  CHECK(worker.profile.project == "demo");
  CHECK(worker.profile.skills == std::vector<Skill>{{"cpp", one}, {"search", 500'000}});
  CHECK(worker.profile.simulated);
  CHECK(worker.profile.bids == BidStyle::formula);
  CHECK(worker.profile.cost_formula == "2 * size / speed");
}

TEST_CASE("a job file becomes tasks with every default filled in") {
  const Plan plan = plan_of(full_job);
  REQUIRE(plan.tasks.size() == 4);
  TaskSpec scan;
  scan.name = scan.title = "scan";
  scan.run = "git ls-files";
  scan.project = "demo";
  scan.skills = {{"search", 0}};
  scan.timeout = seconds(60);
  CHECK(plan.tasks[0].spec == scan);
  CHECK(plan.tasks[0].needs.empty());
  CHECK(plan.tasks[1].spec.skills == std::vector<SkillNeed>{{"cpp", 500'000}});
  CHECK(plan.tasks[1].spec.attempts == 2);
  CHECK(plan.tasks[1].spec.timeout == minutes(30));
  CHECK(plan.tasks[1].needs == std::vector<PlannedNeed>{{0, false}});
  TaskSpec more;
  more.name = "more";
  more.title = "More";
  more.body = "text";
  more.kind = "lint";
  more.project = "other";
  more.priority = -3;
  more.stall_after = seconds(10);
  more.repeatable = false;
  more.budget = 2'500'000;
  more.size = 250'000;
  more.labels = {"blue", "red"};
  CHECK(plan.tasks[2].spec == more);
  CHECK(plan.tasks[2].needs == std::vector<PlannedNeed>{{0, true}});
  CHECK(plan.tasks[3].spec.env == std::vector<EnvVariable>{{"LEVEL", "3"}});
  CHECK(plan.tasks[3].spec.secrets == std::vector<std::string>{"KEY"});
  CHECK(plan.tasks[3].spec.dir == "sub");
  CHECK(plan.total_work == 3'250'000);
  CHECK(plan.critical_path == 2'000'000);
}

TEST_CASE("agents may be left out, the name comes from the file, JSON is read as well") {
  const Plan plan = plan_of(R"({"tasks": {"b": {"title": "B", "needs": ["a"]}, "a": {"run": "true"}}})");
  CHECK(plan.name == "audit");
  CHECK(plan.agents.empty());
  CHECK(plan.tasks[0].needs == std::vector<PlannedNeed>{{1, false}});
}

TEST_CASE("all findings are reported at once, with place and fix") {
  CHECK(error_of(R"(strategy: auktion
nmae: x
agents:
  - {name: one, exec: cat, skills: {serch: 1, cpp: 0.5}, capacity: 0, role: boss}
  - {name: one, exec: cat, cost: "size /"}
  - {exec: cat, speed: -1}
tasks:
  scan: {neds: [x], run: "ls", skills: [search], timeout: soon}
  lint: {run: true, needs: [scna, scan:all, scan, scan], size: -1, attempts: 1.5}
  "a b": {title: [], skills: ["cpp>=0.9", "x y"], labels: "+x"}
  empty:
)") == R"(job.yaml:1:11: 'strategy' 'auktion' is not known; did you mean 'auction'?
job.yaml:2:1: unknown key 'nmae'; did you mean 'name'?
job.yaml:4:68: agent 'one': 'capacity' must be a whole number from 1 to 10000, not 0
job.yaml:4:77: agent 'one': 'role' 'boss' is not known; choose from executive, manager, specialist, operator and observer
job.yaml:5:5: agent 'one' is defined twice, first at 4:5; give it another name
job.yaml:5:34: agent 'one': 'cost' is not a formula: line 2: unexpected symbol near <eof>; write for example size / speed
job.yaml:6:5: an agent: has no name; add name: ...
job.yaml:6:24: an agent: 'speed' must be a number above 0 to 1000000, not -1
job.yaml:8:3: task 'scan': no agent has the skill 'search'; did you mean 'serch'?
job.yaml:8:3: task 'scan': no agent may execute its command; give an agent allow_run: true
job.yaml:8:10: task 'scan': unknown key 'neds'; did you mean 'needs'?
job.yaml:8:59: task 'scan': 'timeout' must be a duration of at least 1ms, not 'soon'; write for example 250ms, 60s, 5m or 2h
job.yaml:9:15: task 'lint': 'run' must be text, not true; put it in quotes
job.yaml:9:29: task 'lint': needs unknown task 'scna'; did you mean 'scan'?
job.yaml:9:35: task 'lint': needs 'scan:all'; behind a name only ':any' may stand
job.yaml:9:51: task 'lint': needs 'scan' twice; leave one out
job.yaml:9:64: task 'lint': 'size' must be a number from 0 to 31622400, not -1
job.yaml:9:78: task 'lint': 'attempts' must be a whole number from 1 to 1000, not 1.5
job.yaml:10:3: task 'a b': is not a task name; use up to 200 letters without spaces and ':'
job.yaml:10:3: task 'a b': no agent has the skill 'cpp' at level 0.9; the best is 'one' with 0.5; ask for less, or raise an agent's level
job.yaml:10:18: task 'a b': 'title' must be text, not a list; write one text
job.yaml:10:43: task 'a b': 'skills' holds 'x y'; write a needed skill as cpp or cpp>=0.7, the level from 0
job.yaml:10:59: task 'a b': 'labels' holds '+x'; a label has no spaces, commas or control characters, and no + or - in front
job.yaml:11:3: task 'empty': must be a map, not nothing; write {run: ...} or {title: ...})");
}

TEST_CASE("each cycle is spelled out") {
  CHECK(error_of(R"(tasks:
  a: {title: A, needs: [c]}
  b: {title: B, needs: [a]}
  c: {title: C, needs: [b]}
  self: {title: S, needs: [self]}
)") == "job.yaml:2:3: a cycle: 'a' needs 'c' needs 'b' needs 'a'; remove one of these needs\n"
       "job.yaml:5:3: a cycle: 'self' needs 'self'; remove one of these needs");
}

TEST_CASE("a task that no agent of the file may take is refused") {
  CHECK(error_of(R"(agents:
  - {name: a, exec: cat, skills: {cpp: 0.5}}
  - {name: b, exec: cat, skills: [rust], project: other}
tasks:
  t1: {run: "ls"}
  t2: {title: x, skills: [cpp, rust]}
  t3: {title: x, skills: ["cpp>=0.6"]}
  t4: {title: x, skills: [rusty]}
  t5: {title: x, skills: [cpp], project: demo}
  t6: {title: x, skills: [rust], project: demo}
)") == R"(job.yaml:5:3: task 't1': no agent may execute its command; give an agent allow_run: true
job.yaml:6:3: task 't2': no single agent has cpp and rust; give all of it to one agent
job.yaml:7:3: task 't3': no agent has the skill 'cpp' at level 0.6; the best is 'a' with 0.5; ask for less, or raise an agent's level
job.yaml:8:3: task 't4': no agent has the skill 'rusty'; did you mean 'rust'?
job.yaml:10:3: task 't6': no single agent has rust and the project 'demo'; give all of it to one agent)");
  CHECK(error_of(R"(agents:
  - {name: a, exec: cat, allow_run: true, secrets: [KEY]}
  - {name: b, exec: cat, allow_env: true}
tasks:
  t1: {title: x, secrets: [OTHER]}
  t2: {run: x, env: {A: "1"}, secrets: [KEY]}
  t3: {title: x, env: {A: "1"}, secrets: [KEY]}
  t4: {run: x, env: {PATH: "1"}}
  t5: {run: x, dir: ../up}
)") == R"(job.yaml:5:3: task 't1': no agent offers the secret 'OTHER'; add it to an agent's secrets
job.yaml:7:3: task 't3': no single agent has allow_env and the secret 'KEY'; give all of it to one agent
job.yaml:8:3: task 't4': a task may not set PATH, which decides what its agent executes; set it in the agent's env
job.yaml:9:3: task 't5': its dir leads out of the working directory of its agent)");
  CHECK(error_of("agents: [{name: m, role: manager}]\ntasks: {a: {title: A}}") ==
        "job.yaml:1:10: none of the agents takes tasks; add an agent with role: specialist");
}

TEST_CASE("agents are checked each and together") {
  CHECK(error_of("agents: []\ntasks: {a: {title: A}}") ==
        "job.yaml:1:9: the list of agents is empty; add an agent, or leave 'agents' out to use the board's "
        "own");
  CHECK(error_of(R"(agents:
  - {name: w, count: 2, exec: cat}
  - {name: w2, exec: cat}
  - {name: idle}
  - {name: sim, executor: simulated, exec: cat}
  - {name: co, executor: coprocess}
  - {name: both, exec: cat, bid: x, cost: size}
  - {name: asked, exec: cat, live: true, cost: size}
  - {name: child, exec: cat, parent: cod}
  - {name: p, role: manager, parent: q}
  - {name: q, role: manager, parent: p}
  - text
  - {name: none, count: 0, exec: cat, restart: true}
tasks: {a: {title: A}}
)") == R"(job.yaml:3:5: agent 'w2' is defined twice, first at 2:5; give it another name
job.yaml:4:5: agent 'idle': has no way to do a task; add exec: ..., allow_run: true or executor: simulated
job.yaml:5:44: agent 'sim': is simulated and executes nothing; remove exec or the executor
job.yaml:6:26: agent 'co': has no command for its coprocess; add exec: ...
job.yaml:7:43: agent 'both': has both bid and cost; keep the command or the formula
job.yaml:8:48: agent 'asked': has both live and cost; an agent with a formula is not asked: keep one
job.yaml:9:5: agent 'child': unknown parent 'cod'; did you mean 'co'?
job.yaml:10:5: agent 'p': is its own ancestor through its parents; change one parent
job.yaml:11:5: agent 'q': is its own ancestor through its parents; change one parent
job.yaml:12:5: an agent: must be a map, not 'text'; write {name: ..., exec: ...}
job.yaml:13:25: agent 'none': 'count' must be a whole number from 1 to 1000, not 0
job.yaml:13:39: agent 'none': unknown key 'restart'; the keys are name, count, role, parent, project, skills, speed, capacity, executor, exec, preset, model, permission, account, input, allow_run, bid, bid_timeout, cost, live, price_per_second, set_up, answers_bids, price_field, tokens_field, result_field, token_price, noise, failure_rate, seed, serves, dir, env, env_file, secrets, allow_env and worktree)");
}

TEST_CASE("a job without tasks is an error, and a wrong shape names the right one") {
  CHECK(error_of("name: x\n") == "job.yaml:1:1: a job needs tasks; add tasks: {first: {run: ...}}");
  CHECK(error_of("tasks: {}\n") == "job.yaml:1:8: a job needs tasks; add first: {run: ...}");
  CHECK(error_of("tasks: [{name: a}]\n") ==
        "job.yaml:1:8: 'tasks' must be a map, not a list; write the name of each task as a key: first: {run: "
        "...}");
  CHECK(error_of("") == "job.yaml:1:1: must be a map, not nothing; write tasks: {first: {run: ...}}");
  CHECK(error_of("a: 1\na: 2\n") ==
        "job.yaml:2:1: the key 'a' is defined twice; the first definition is at 1:1");
  CHECK(error_of("tasks: {a: {title: A, skills: {cpp: x}, budget: 1e12}}") ==
        "job.yaml:1:37: task 'a': 'skills.cpp' must be a number from 0 to 1000, not 'x'\n"
        "job.yaml:1:49: task 'a': 'budget' must be a number from 0 to 1000000000, not 1000000000000.0");
}

TEST_CASE("a file with very many errors is refused quickly") {
  std::string text = "tasks:\n";
  for (int i = 0; i < 20'000; ++i) text += fmt::format("  task_{}: {{titel: x, needs: [tusk_{}]}}\n", i, i);
  const std::string error = error_of(text);
  CHECK(std::count(error.begin(), error.end(), '\n') == 100);
  CHECK(error.ends_with("job.yaml: and 59900 more"));
}

TEST_CASE("the reference lists every key with its default") {
  const std::string reference = job_file_reference();
  for (const char* row : {"| `stall_after` | duration | 0 (never) |", "| `capacity` | whole number | 1 |",
                          "| `tasks` | map of name to task | required |"})
    CHECK(reference.find(row) != std::string::npos);
  CHECK(reference.find("`restart`") == std::string::npos);
}

TEST_CASE("keys that begin with x- are the writer's own, and hold what << merges") {
  const Plan plan = plan_of(
      "x-common: &common {timeout: 5m, skills: [cpp]}\n"
      "agents:\n- &worker {name: a, skills: [cpp], executor: simulated, x-note: kept by me}\n"
      "- {<<: *worker, name: b}\n"
      "tasks:\n  first: {<<: *common, title: One}\n  second: {<<: *common, title: Two, timeout: 1m, needs: "
      "[first]}\n");
  REQUIRE(plan.tasks.size() == 2);
  CHECK(plan.tasks[0].spec.timeout == minutes(5));
  CHECK(plan.tasks[1].spec.timeout == minutes(1));
  CHECK(plan.tasks[1].spec.skills.size() == 1);
  CHECK(plan.agents[1].profile.name == "b");
  CHECK(error_of("x: 1\ntasks: {a: {title: A}}\n").starts_with("job.yaml:1:1: unknown key 'x'"));
}
