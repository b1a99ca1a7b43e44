// Agents that work in git worktrees, as processes on one repository.
#include <signal.h>

#include <filesystem>

#include "tests/process/project.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("Two agents on one repository: each task's work is in its branch, its needs' work under it") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("shared.txt", "the user's own change\n");
  board.write("job.yaml", R"(
agents:
  - {name: hand, count: 2, worktree: task, exec: 'cat > "$BIDBOARD_TASK.txt"; ls | tr "\n" " "'}
tasks:
  a: {title: A}
  b: {title: B}
  c: {title: C, needs: [a, b]}
)");
  board.must({"run", "job.yaml"});
  CHECK(board.value("SELECT result FROM tasks WHERE name = 'c'") == "shared.txt t1.txt t2.txt t3.txt ");
  CHECK(board.value("SELECT branch FROM tasks WHERE name = 'c'") == "bidboard/t3");
  const std::string commit = board.value("SELECT commit_id FROM tasks WHERE name = 'c'");
  CHECK(project.git({"rev-parse", "bidboard/t3"}) == commit);
  CHECK(project.files(commit) == "shared.txt\nt1.txt\nt2.txt\nt3.txt");
  CHECK(contains(board.must({"show", "t3"}), fmt::format("commit {} in branch bidboard/t3", commit)));
  CHECK(board.read("shared.txt") == "the user's own change\n");
  CHECK_FALSE(std::filesystem::exists(board.path("t1.txt")));
  CHECK(project.no_worktrees());
  CHECK(board.must({"worktrees"}) ==
        "No worktrees. Agents with `worktree: task` work in them (docs/coding-agents.md).");
  check_whole(board.directory());
}

TEST_CASE("`bidboard done` from inside a worktree commits first, so that dependents begin with the work") {
  const Project project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  const Process agent = board.agent(
      "solo", {"--worktree", "task", "--exec",
               "cat > /dev/null; if [ $BIDBOARD_TASK = t1 ]; then echo x > early.txt; bidboard done "
               "--result early; echo y > late.txt; else ls | tr '\\n' ' '; fi"});
  board.must({"post", "first"});
  board.must({"post", "second", "--need", "t1"});
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(contains(board.value("SELECT result FROM tasks WHERE id = 't2'"), "early.txt"));
  CHECK(board.value("SELECT result FROM tasks WHERE id = 't1'") == "early");
  // What it did after that is in the branch, and in the record, as well.
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'work_saved' AND task = 't1'", "2"));
  CHECK(project.files(board.value("SELECT commit_id FROM tasks WHERE id = 't1'")) ==
        "early.txt\nlate.txt\nshared.txt");
}

TEST_CASE("`done` over MCP from inside a worktree commits first, as the shell's does") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("done.jsonl",
              R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25",)"
              R"("capabilities":{},"clientInfo":{"name":"test","version":"1"}}})"
              "\n"
              R"({"jsonrpc":"2.0","method":"notifications/initialized"})"
              "\n"
              R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"done",)"
              R"("arguments":{"result":"early"}}})"
              "\n");
  const Process controller = board.serve();
  const Process agent = board.agent(
      "solo", {"--worktree", "task", "--exec",
               "cat > /dev/null; if [ $BIDBOARD_TASK = t1 ]; then echo x > early.txt; bidboard mcp < '" +
                   board.path("done.jsonl") + "'; else ls | tr '\\n' ' '; fi"});
  board.must({"post", "first"});
  board.must({"post", "second", "--need", "t1"});
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(contains(board.value("SELECT result FROM tasks WHERE id = 't2'"), "early.txt"));
  CHECK(board.value("SELECT result FROM tasks WHERE id = 't1'") == "early");
}

TEST_CASE("An attempt killed at its work loses none of it: the worktree is listed, saved and cleaned") {
  const Project project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  const Process agent = board.agent(
      "solo",
      {"--worktree", "task", "--exec",
       "cat > /dev/null; echo x > half.txt; cd \"$BIDBOARD_DIR/..\"; touch begun; until [ -e go ]; do "
       "sleep 0.02; done; kill -9 $PPID; sleep 60"});
  board.must({"post", "endless", "--attempts", "1"});
  REQUIRE(eventually([&] { return std::filesystem::exists(board.path("begun")); }));
  CHECK(contains(board.must({"worktrees"}), "in use, with changes"));
  CHECK(contains(board.must({"worktrees", "--clean"}), "stays: a task is being worked on in it"));
  board.write("go", "");
  REQUIRE(board.task_becomes("t1", "failed"));
  CHECK(contains(board.must({"worktrees"}), "changes that are in no commit"));
  CHECK(contains(board.must({"worktrees", "--clean"}), "t1.e1 removed; what was unsaved is in a branch"));
  CHECK(project.no_worktrees());
  const std::string kept = project.git({"for-each-ref", "--format=%(refname:short)", "refs/heads/bidboard"});
  CHECK(contains(kept, "bidboard/kept/t1-"));
  CHECK(project.files(kept) == "half.txt\nshared.txt");
}

TEST_CASE("An agent that is in no git repository rests, and uses up no attempt") {
  const TestBoard board;
  const Process controller = board.serve();
  const Process agent = board.agent("solo", {"--worktree", "task", "--exec", "cat"});
  board.must({"post", "x", "--attempts", "1"});
  REQUIRE(board.becomes("SELECT outage FROM breakers WHERE state = 'open'", "environment"));
  CHECK(contains(board.value("SELECT reason FROM tasks"), "is in no git repository"));
  CHECK(board.value("SELECT attempts FROM tasks") == "0");

  const std::string git = fmt::format(
      "cd '{}' && git init -q && git -c user.name=x -c user.email=x@x commit -q "
      "--allow-empty -m begin",
      board.home());
  REQUIRE(run_program({"sh", "-c", git}, board.surroundings()).exit_code == 0);
  board.must({"probe", "solo"});
  CHECK(board.task_becomes("t1", "done"));
}

TEST_CASE("The exit status of a command in a worktree decides as without one, and its work is kept") {
  const Project project;
  const TestBoard& board = project.board;
  const Process controller = board.serve();
  const Process agent =
      board.agent("solo", {"--worktree", "agent", "--exec",
                           "cat > /dev/null; echo x > \"$BIDBOARD_TASK.txt\"; echo why >&2; "
                           "[ $BIDBOARD_TASK = t2 ] || exit 3"});
  board.must({"post", "bad", "--attempts", "1"});
  board.must({"post", "good", "--attempts", "1"});
  REQUIRE(board.task_becomes("t1", "failed"));
  REQUIRE(board.task_becomes("t2", "done"));
  CHECK(contains(board.value("SELECT reason FROM tasks WHERE id = 't1'"), "exit 3: why"));
  CHECK(board.value("SELECT count(*) FROM tasks WHERE commit_id IS NULL") == "1");
  CHECK(project.files("bidboard/t1") == "shared.txt\nt1.txt");
  CHECK(project.files("bidboard/t2") == "shared.txt\nt2.txt");
}
