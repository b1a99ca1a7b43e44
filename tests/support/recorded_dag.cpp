#include "tests/support/recorded_dag.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/drivers/call.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

namespace bidboard::testing {
namespace {

constexpr const char* step_script = R"(#!/bin/sh
exec 9>> "locks/$1"
flock -n 9 || echo "$1 $BIDBOARD_EPOCH" >> overlaps
echo "begin $1 $BIDBOARD_EPOCH" >> executions
sleep "$2"
echo "end $1 $BIDBOARD_EPOCH" >> executions
echo "$1"
)";

std::string name_of(std::size_t task) { return fmt::format("n{}", task); }

/// The positions of the executions' lines in the record.
struct ExecutionLog {
  std::map<std::pair<std::string, std::string>, std::size_t> begins, ends;  // by task and epoch
  std::map<std::string, std::vector<std::size_t>> begins_of;
  std::size_t twice = 0;
};

ExecutionLog read_executions(const std::string& text) {
  ExecutionLog executions;
  std::size_t at = 0;
  for (const std::string& line : lines_of(text)) {
    std::istringstream in(line);
    std::string word, task, epoch;
    in >> word >> task >> epoch;
    auto& known = word == "begin" ? executions.begins : executions.ends;
    if (!known.emplace(std::pair(task, epoch), ++at).second) ++executions.twice;
    if (word == "begin") executions.begins_of[task].push_back(at);
  }
  return executions;
}

}  // namespace

std::uint64_t soak_rounds() {
  const char* text = std::getenv("BIDBOARD_SOAK");
  return text ? std::max<std::uint64_t>(1, std::strtoull(text, nullptr, 10)) : 1;
}

std::uint64_t test_seed(std::uint64_t usual) {
  const char* text = std::getenv("BIDBOARD_SEED");
  return text ? std::strtoull(text, nullptr, 10) : usual;
}

RecordedDag::RecordedDag(const TestBoard& board, std::size_t tasks, std::size_t window, Random& random)
    : board_(board), needs_(tasks) {
  for (std::size_t task = 0; task < tasks; ++task) {
    // Some long enough that their remains overlap with the next attempt.
    durations_.push_back(random.chance(100'000) ? "0.25" : fmt::format("0.0{}", random.below(5)));
    for (std::uint64_t i = task == 0 ? 0 : random.below(4); i > 0; --i) {
      const std::size_t need = task - 1 - random.below(std::min(task, window));
      if (std::find(needs_[task].begin(), needs_[task].end(), need) == needs_[task].end())
        needs_[task].push_back(need);
    }
  }
  board.write_script("step.sh", step_script);
  REQUIRE(::mkdir(board.path("locks").c_str(), 0700) == 0);
}

void RecordedDag::post() const {
  Post post;
  post.workflow = "dag";
  for (std::size_t task = 0; task < size(); ++task) {
    TaskSpec spec;
    spec.name = name_of(task);
    spec.title = spec.name;
    spec.run = fmt::format("./step.sh {} {}", spec.name, durations_[task]);
    spec.attempts = 1000;
    post.tasks.push_back(spec);
    for (const std::size_t need : needs_[task])
      post.batch_needs.push_back({static_cast<std::uint32_t>(task), static_cast<std::uint32_t>(need), false});
  }
  const Result<Posted> posted = call_for<Posted>(board_.directory(), post);
  INFO((posted ? "" : posted.error().text));
  REQUIRE(posted.has_value());
}

std::size_t RecordedDag::lines() const { return lines_of(board_.read("executions")).size(); }

std::size_t RecordedDag::begun() const { return read_executions(board_.read("executions")).begins.size(); }

bool RecordedDag::all_done() const {
  return board_.value("SELECT count(*) FROM tasks WHERE state = 'done'") == std::to_string(size());
}

void RecordedDag::check() const {
  CHECK(board_.value("SELECT count(*) FROM tasks WHERE state = 'done'") == std::to_string(size()));
  CHECK(board_.value("SELECT count(*), count(DISTINCT task) FROM log WHERE kind = 'task_finished'") ==
        fmt::format("{}|{}", size(), size()));
  CHECK(board_.read("overlaps") == "");
  check_order();
  check_log();
}

void RecordedDag::check_order() const {
  const ExecutionLog executions = read_executions(board_.read("executions"));
  CHECK(executions.twice == 0);
  std::map<std::string, std::string> accepted;  // by task: the epoch whose result was accepted
  for (const std::string& row : board_.rows("SELECT name, epoch FROM tasks"))
    accepted[row.substr(0, row.find('|'))] = row.substr(row.find('|') + 1);
  for (std::size_t task = 0; task < size(); ++task) {
    const std::string name = name_of(task);
    INFO(name);
    REQUIRE(executions.ends.contains({name, accepted.at(name)}));
    for (const std::size_t need : needs_[task]) {
      const std::string needed = name_of(need);
      const std::size_t done_at = executions.ends.at({needed, accepted.at(needed)});
      for (const std::size_t begun_at : executions.begins_of.at(name)) {
        INFO(name << " needs " << needed);
        REQUIRE(done_at < begun_at);
      }
    }
  }
}

void RecordedDag::check_log() const {
  std::map<std::string, std::string> open;  // tasks with a live award
  std::map<std::string, std::size_t> epochs;
  for (const std::string& row : board_.rows(
           "SELECT kind, task FROM log WHERE kind IN ('task_awarded', 'attempt_ended', 'task_finished') "
           "ORDER BY seq")) {
    const std::string kind = row.substr(0, row.find('|'));
    const std::string task = row.substr(row.find('|') + 1);
    INFO(row);
    if (kind == "task_awarded") {
      REQUIRE(open.emplace(task, kind).second);
      epochs[task] += 1;
    } else {
      REQUIRE(open.erase(task) == 1);
    }
  }
  CHECK(open.empty());
  for (const std::string& row : board_.rows("SELECT id, epoch FROM tasks")) {
    INFO(row);
    CHECK(row.substr(row.find('|') + 1) == std::to_string(epochs[row.substr(0, row.find('|'))]));
  }
}

void RecordedDag::check_nothing_runs() const {
  for (std::size_t task = 0; task < size(); ++task) {
    const Descriptor file(::open(board_.path("locks/" + name_of(task)).c_str(), O_RDWR | O_CLOEXEC));
    INFO(name_of(task));
    REQUIRE(static_cast<bool>(file));
    CHECK(::flock(file.get(), LOCK_EX | LOCK_NB) == 0);
  }
}

}  // namespace bidboard::testing
