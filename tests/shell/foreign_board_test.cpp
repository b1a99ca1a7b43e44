// Boards that this user may not read, or may read and not write, or that others can change.
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// Runs the tool as a user whom the folders' modes bind: root becomes another one.
Finished run_bound(const TestBoard& board, std::vector<std::string> words, const std::string& directory) {
  std::vector<std::string> argv{bidboard_binary};
  if (::geteuid() == 0)
    argv = {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", bidboard_binary};
  argv.insert(argv.end(), words.begin(), words.end());
  ProcessOptions options = board.surroundings();
  options.directory = directory;
  return run_program(argv, options);
}

void open_to_all(const TestBoard& board) {
  const std::string home = board.home();
  REQUIRE(::chmod(home.substr(0, home.rfind('/')).c_str(), 0755) == 0);
  REQUIRE(::chmod(home.c_str(), 0755) == 0);
}

}  // namespace

TEST_CASE("A file of one's own that may not be written is not replaced by another") {
  const TestBoard board;
  open_to_all(board);
  const std::string folder = board.path("theirs");
  REQUIRE(::mkdir(folder.c_str(), 0755) == 0);
  board.write("theirs/CLAUDE.md", "kept\n");
  REQUIRE(::chmod(board.path("theirs/CLAUDE.md").c_str(), 0444) == 0);
  if (::geteuid() == 0)
    for (const std::string& path : {folder, board.path("theirs/CLAUDE.md")})
      REQUIRE(::chown(path.c_str(), 65534, 65534) == 0);
  const Finished refused = run_bound(board, {"prime", "--for", "claude"}, folder);
  INFO(refused.err);
  CHECK(refused.exit_code == 4);
  CHECK(contains(refused.err, "cannot write " + board.path("theirs/CLAUDE.md")));
  CHECK(board.read("theirs/CLAUDE.md") == "kept\n");
}

TEST_CASE("A board that one may not read is named, and hides the board of a folder above") {
  const TestBoard board;
  open_to_all(board);
  board.must({"-C", board.path("inner"), "init"});
  REQUIRE(::chmod(board.path("inner").c_str(), 0755) == 0);
  REQUIRE(::chmod(board.path("inner/.bidboard").c_str(), 0) == 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"tasks"}, {"doctor"}, {"status"}, {"post", "x"}}) {
    const Finished finished = run_bound(board, words, board.path("inner"));
    INFO(finished.err);
    CHECK(finished.exit_code == 4);
    CHECK(contains(finished.err, "/inner/.bidboard is not readable by you"));
  }
  REQUIRE(::chmod(board.path("inner/.bidboard").c_str(), 0700) == 0);
}

TEST_CASE("A board in a folder that one may read but not write is read; writing says why not") {
  const TestBoard board;
  board.must({"post", "to be read"});
  open_to_all(board);
  REQUIRE(::chmod(board.path(".bidboard").c_str(), 0555) == 0);
  for (const char* file : {"data.mdb", "lock.mdb", "writer.lock"})
    REQUIRE(::chmod(board.path(std::string(".bidboard/") + file).c_str(), 0444) == 0);
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"tasks"}, {"show", "t1"}, {"log"}, {"query", "SELECT title FROM tasks"}}) {
    const Finished finished = run_bound(board, words, board.home());
    INFO(finished.err);
    CHECK(finished.exit_code == 0);
    CHECK(contains(finished.out, "to be read"));
  }
  CHECK(run_bound(board, {"status"}, board.home()).exit_code == 0);
  const Finished post = run_bound(board, {"post", "x"}, board.home());
  INFO(post.err);
  CHECK(post.exit_code == 4);
  CHECK(contains(post.err, "is not writable by you"));
  REQUIRE(::chmod(board.path(".bidboard").c_str(), 0700) == 0);
}

TEST_CASE("Where one may not write, as in a sandbox, a controller that serves the board does it") {
  const TestBoard board;
  const Process controller = board.serve();
  REQUIRE(::chmod(board.path(".bidboard").c_str(), 0555) == 0);
  for (const char* file : {"data.mdb", "lock.mdb", "writer.lock"})
    REQUIRE(::chmod(board.path(std::string(".bidboard/") + file).c_str(), 0444) == 0);
  std::vector<std::string> argv{bidboard_binary, "post", "x"};
  // The same user, but bound by the modes.
  if (::geteuid() == 0) argv.insert(argv.begin(), {"setpriv", "--bounding-set=-all", "--inh-caps=-all"});
  const Finished post = run_program(argv, board.surroundings());
  INFO(post.err);
  CHECK(post.exit_code == 0);
  CHECK(post.out == "t1\n");
  REQUIRE(::chmod(board.path(".bidboard").c_str(), 0700) == 0);
}

TEST_CASE("`init` in a folder that others can change warns at once, and names `bidboard trust`") {
  const TestBoard board(false);
  REQUIRE(::chmod(board.home().c_str(), 0777) == 0);
  const std::string trust = "`bidboard trust " + board.home() + "`";
  const Finished made = board.run({"init"});
  INFO(made.err);
  CHECK(made.exit_code == 0);
  CHECK(contains(made.err, "other users can change " + board.home()));
  CHECK(contains(made.err, trust));
  CHECK(contains(board.run({"init"}).err, trust));
  board.must({"trust", "."});
  CHECK_FALSE(contains(board.run({"init"}).err, "trust"));
  board.must({"tasks"});
}
