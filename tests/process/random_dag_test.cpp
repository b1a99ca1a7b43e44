// A large job on agents that keep being killed: what was promised must hold however they end. The tasks count
// themselves: each execution writes a line at its begin and at its end, and proves with a lock that lives as
// long as any of its processes that no other execution of the same task is alive.
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "blackboard/random.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr std::size_t task_count = 500;
constexpr std::size_t agent_count = 6;
constexpr std::size_t kills = 24;

constexpr const char* step_script = R"(#!/bin/sh
exec 9>> "locks/$1"
flock -n 9 || echo "$1 $BIDBOARD_EPOCH" >> overlaps
echo "begin $1 $BIDBOARD_EPOCH" >> trace
sleep "$2"
echo "end $1 $BIDBOARD_EPOCH" >> trace
echo "$1"
)";

using Needs = std::vector<std::vector<std::size_t>>;  // by task: those that must be done before

Needs random_needs(Random& random) {
  Needs needs(task_count);
  for (std::size_t task = 1; task < task_count; ++task)
    for (std::uint64_t i = random.below(4); i > 0; --i) {
      const std::uint64_t span = std::min<std::uint64_t>(task, 40);
      const std::size_t need = task - 1 - random.below(span);
      if (std::find(needs[task].begin(), needs[task].end(), need) == needs[task].end())
        needs[task].push_back(need);
    }
  return needs;
}

std::string name_of(std::size_t task) { return "n" + std::to_string(task); }

std::string job_file(const Needs& needs, Random& random) {
  std::string text = "name: dag\ntasks:\n";
  for (std::size_t task = 0; task < task_count; ++task) {
    text += "  " + name_of(task) + ": {attempts: 100, run: \"./step.sh " + name_of(task) + " 0.0" +
            std::to_string(random.below(5)) + "\", needs: [";
    for (std::size_t i = 0; i < needs[task].size(); ++i)
      text += (i == 0 ? "" : ", ") + name_of(needs[task][i]);
    text += "]}\n";
  }
  return text;
}

/// Where the executions' lines stand in the trace, which the kernel put in one order.
struct Trace {
  std::map<std::pair<std::string, std::string>, std::size_t> begins, ends;  // by task and epoch
  std::map<std::string, std::vector<std::size_t>> begins_of;
  std::size_t twice = 0;
};

Trace read_trace(const std::string& text) {
  Trace trace;
  std::size_t at = 0;
  for (const std::string& line : lines_of(text)) {
    std::istringstream in(line);
    std::string word, task, epoch;
    in >> word >> task >> epoch;
    auto& known = word == "begin" ? trace.begins : trace.ends;
    if (!known.emplace(std::pair(task, epoch), ++at).second) ++trace.twice;
    if (word == "begin") trace.begins_of[task].push_back(at);
  }
  return trace;
}

Process start_agent(const TestBoard& board, std::size_t number) {
  return board.agent("w" + std::to_string(number),
                     {"--allow-run", "--capacity", number % 3 == 0 ? "2" : "1"});
}

std::size_t ended_executions(const TestBoard& board) {
  std::size_t ends = 0;
  for (const std::string& line : lines_of(board.read("trace"))) ends += line.starts_with("end");
  return ends;
}

/// Whenever some more tasks have ended, an agent dies and another process takes its name.
void kill_agents_while_running(const TestBoard& board, std::vector<Process>& agents, Process& job,
                               Random& random) {
  for (std::size_t i = 1; i <= kills; ++i) {
    const std::size_t mark = i * task_count / (kills + 2);
    REQUIRE(eventually([&] { return !job.running() || ended_executions(board) >= mark; }, patience));
    REQUIRE(job.running());
    const std::size_t victim = random.below(agent_count);
    INFO("kill " << i << ", w" << victim << ": " << agents[victim].err());
    REQUIRE(board.becomes(
        "SELECT pid FROM agents WHERE name = 'w" + std::to_string(victim) + "' AND state = 'live'",
        std::to_string(agents[victim].pid())));
    agents[victim].kill();
    agents[victim] = start_agent(board, victim);
  }
}

void check_order(const TestBoard& board, const Trace& trace, const Needs& needs) {
  std::map<std::string, std::string> accepted;  // by task: the epoch whose result counts
  for (const std::string& row : board.rows("SELECT name, epoch FROM tasks"))
    accepted[row.substr(0, row.find('|'))] = row.substr(row.find('|') + 1);
  for (std::size_t task = 0; task < task_count; ++task) {
    const std::string name = name_of(task);
    INFO(name);
    REQUIRE(trace.ends.contains({name, accepted.at(name)}));
    for (const std::size_t need : needs[task]) {
      const std::string needed = name_of(need);
      const std::size_t done_at = trace.ends.at({needed, accepted.at(needed)});
      for (const std::size_t begun_at : trace.begins_of.at(name)) {
        INFO(name << " needs " << needed);
        REQUIRE(done_at < begun_at);
      }
    }
  }
}

}  // namespace

TEST_CASE(
    "500 tasks in a random graph on six agents that keep being killed: nothing lost, doubled, overlapping or "
    "too early") {
  Random random(20'260'101);
  const Needs needs = random_needs(random);
  TestBoard board;
  board.write_script("step.sh", step_script);
  board.write("dag.yaml", job_file(needs, random));
  REQUIRE(::mkdir(board.path("locks").c_str(), 0700) == 0);
  const Process controller = board.serve();
  Config config;
  config.project = "dag";
  config.backoff = milliseconds(10);
  board.configure(config);
  std::vector<Process> agents;
  for (std::size_t i = 0; i < agent_count; ++i) agents.push_back(start_agent(board, i));
  board.await_agents(agent_count);

  Process job = board.start({"run", "dag.yaml", "--json"});
  kill_agents_while_running(board, agents, job, random);
  const int exit_code = job.wait(std::chrono::seconds(300));
  INFO(job.out() << job.err());
  REQUIRE(exit_code == 0);

  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done'") == std::to_string(task_count));
  CHECK(board.value("SELECT count(*), count(DISTINCT task) FROM log WHERE kind = 'task_finished'") ==
        std::to_string(task_count) + "|" + std::to_string(task_count));
  CHECK(board.read("overlaps") == "");
  const Trace trace = read_trace(board.read("trace"));
  CHECK(trace.twice == 0);
  CHECK(std::stoul(board.value("SELECT count(*) FROM log WHERE kind = 'agent_left'")) >= kills);
  CHECK(trace.begins.size() > task_count);  // some were killed in the middle and done again
  check_order(board, trace, needs);
}
