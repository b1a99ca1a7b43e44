// `--rehearse`: what it refuses, and jobs.
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("`--rehearse` is refused where no agent has a preset") {
  const TestBoard board;
  board.write("bidboard.yaml", "agents: [{name: plain, exec: cat}]\n");
  const Finished up = board.run({"up", "--rehearse"});
  CHECK(up.exit_code == 2);
  CHECK(contains(up.err, "nothing to rehearse: no agent in "));
  CHECK(contains(up.err, "bidboard.yaml has a preset; add one"));
  CHECK_FALSE(board.data({"status", "--json"}).find("rehearses")->boolean());

  board.write("job.yaml", "tasks: {a: {title: Think}}\n");
  const Finished run = board.run({"run", "job.yaml", "--rehearse"});
  CHECK(run.exit_code == 2);
  CHECK(contains(run.err, "no agent in job.yaml has a preset"));
  CHECK(board.value("SELECT count(*) FROM tasks") == "0");
}

TEST_CASE("A job is rehearsed; agents without a preset are named, and work as they are") {
  const TestBoard board;
  board.write("job.yaml",
              "agents: [{name: opus, preset: claude, skills: [think]}, {name: plain, exec: cat}]\n"
              "tasks:\n"
              "  a: {title: Write, body: 'write out/a.txt: thought', skills: [think]}\n"
              "  b: {title: Again, body: 'write out: x', skills: [think], needs: [a], attempts: 1}\n");
  const Finished run = board.run({"run", "job.yaml", "--rehearse"});
  INFO(run.out << run.err);
  CHECK(run.exit_code == 1);
  CHECK(contains(run.err, "the work of 1 agent with a preset; no model is asked"));
  CHECK(contains(run.err, "without a preset, and as they are: plain"));
  CHECK(board.read("out/a.txt") == "thought\n");
  CHECK(board.value("SELECT state, price FROM tasks WHERE name = 'a'") == "done|0.01");
  CHECK(contains(board.value("SELECT reason FROM tasks WHERE name = 'b'"), "cannot write out"));
}

TEST_CASE("A stand-in follows no link out of its folder") {
  const TestBoard board;
  std::filesystem::create_directories(board.path("outside"));
  std::filesystem::create_directories(board.path("work"));
  std::filesystem::create_symlink(board.path("outside"), board.path("work/link"));
  ProcessOptions there = board.surroundings();
  there.directory = board.path("work");
  there.input = "write link/through: y\n";
  const Finished finished = board.run({"stand-in", "claude"}, there);
  CHECK(finished.exit_code == 4);
  CHECK(contains(finished.err, "link/through leads out of the folder of the task"));
  CHECK(std::filesystem::is_empty(board.path("outside")));
}
