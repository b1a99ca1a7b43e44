// `up --rehearse` over one repository: all is real but the clients.
#include <filesystem>

#include "tests/process/project.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/eventually.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// Where git is, and no client: one that was started all the same would end its attempt as missing.
ProcessOptions without_clients(const TestBoard& board) {
  ProcessOptions options = board.surroundings();
  options.environment["PATH"] = "/usr/bin:/bin";
  return options;
}

}  // namespace

TEST_CASE("A rehearsal does each task in a worktree, at a price, and merges it, without any client") {
  const Project project;
  const TestBoard& board = project.board;
  board.write("bidboard.yaml",
              "agents:\n"
              "- {name: claude, preset: claude, count: 2, worktree: task, env_file: keys.env,"
              " secrets: {KEY: {env: NO_SUCH_VARIABLE}}}\n"
              "- {name: codex, preset: codex, worktree: task}\n"
              "budgets: {day: 1}\n"
              "merge: {into: main, check: 'test ! -e a.txt || grep -q one a.txt'}\n");
  const Process up = board.start({"up", "--rehearse"}, without_clients(board));
  board.await_agents(3);
  CHECK(contains(up.err(), "rehearsal: stand-ins that edit files by rule do the work of 3 agents"));
  CHECK(board.data({"status", "--json"}).find("rehearses")->boolean());
  CHECK(contains(board.run({"agents"}).err, "This is a rehearsal"));

  board.must({"post", "A file", "--body", "write a.txt: one"});
  board.must({"post", "Two", "--body", "append shared.txt: two"});
  board.must({"post", "Three", "--body", "append shared.txt: three"});
  board.must({"post", "Think of a name", "--need", "t1"});
  board.must({"wait", "t1", "t2", "t3", "t4"});
  CHECK(board.value("SELECT count(*) FROM tasks WHERE state = 'done' AND attempts = 1") == "4");
  CHECK_FALSE(contains(up.err(), "not installed"));

  CHECK(project.git({"show", "bidboard/t1:a.txt"}) == "one");
  CHECK(project.git({"show", "bidboard/t2:shared.txt"}) == "one\ntwo");
  const std::string notes = project.git({"show", "bidboard/t4:notes/t4.md"});
  CHECK(contains(notes, "> Think of a name\n"));
  CHECK(contains(notes, "Rehearsed by a stand-in: wrote a.txt."));
  CHECK(project.no_worktrees());
  CHECK(board.value("SELECT sum(tokens) > 0 AND count(*) = 3 FROM spending WHERE scope = 'agent'") == "1");

  const Finished merged = board.run({"merge", "--all"});
  INFO(merged.out << merged.err);
  CHECK(merged.exit_code == 5);
  CHECK(contains(merged.out, " conflicts with main; t5 is to resolve it"));
  board.must({"wait", "t5"});
  CHECK(contains(board.must({"merge", "--all"}), "t5 merged into main at "));
  const std::string shared = board.read("shared.txt");
  CHECK((shared == "one\ntwo\nthree\n" || shared == "one\nthree\ntwo\n"));
  CHECK(project.files("main") == "a.txt\nnotes/t4.md\nshared.txt");
  CHECK(board.must({"merge"}) == "All work of done tasks is in main.");
}
