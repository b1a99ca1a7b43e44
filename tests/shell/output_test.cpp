// What is printed: safe to look at for people, exact for programs, and never lost without a word.
#include <string>

#include "tests/support/build.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

/// A forged line of the log, a colour, a C1 control, a character that turns the direction, a byte that is no
/// UTF-8.
const std::string nasty =
    "no\n    99 task_finished \x1b[31mred\x1b[0m \xc2\x9b"
    "31m \xe2\x80\xae"
    "fdp \xff end";

/// Everything below is harmless on a terminal.
void check_harmless(const std::string& text) {
  INFO(text);
  for (const std::string& bad : {std::string("\x1b"), std::string("\xc2\x9b"), std::string("\xe2\x80\xae"),
                                 std::string("\xff"), std::string("\n    99 task_finished")})
    CHECK_FALSE(contains(text, bad));
}

Finished in_shell(const TestBoard& board, const std::string& line) {
  ProcessOptions options = board.surroundings();
  options.environment["BIDBOARD"] = bidboard_binary;
  return run_program({"sh", "-c", line}, options);
}

}  // namespace

TEST_CASE(
    "A reason or a title with line breaks and escape sequences forges no line and reaches no terminal") {
  const TestBoard board;
  board.must({"post", nasty, "--attempts", "2"});
  board.must({"post", "needs it", "--need", "t1"});
  board.must({"claim", "t1", "--as", "me"});
  board.must({"fail", "t1", "--as", "me", "--reason", nasty});
  for (const std::vector<std::string>& words : {std::vector<std::string>{"log"},
                                                {"log", "--json"},
                                                {"tasks"},
                                                {"tasks", "--json"},
                                                {"ready"},
                                                {"explain", "t1"},
                                                {"explain", "t2"},
                                                {"bids", "t1"},
                                                {"graph"},
                                                {"graph", "--critical"},
                                                {"query", "SELECT title, reason FROM tasks"},
                                                {"query", "SELECT title FROM tasks", "--json"}})
    check_harmless(board.must(words));
  CHECK(contains(board.must({"tasks"}),
                 R"(no\n    99 task_finished \x1b[31mred\x1b[0m \u009b31m \u202efdp \xff end)"));
  check_harmless(board.run({"claim", "t1", "--as", "you", "--skill", nasty}).err);
  check_harmless(board.run({nasty}).err);
}

TEST_CASE("Bodies and results keep their lines for people, and JSON and CSV keep every byte of them") {
  const TestBoard board;
  const std::string text = "one\n\ttwo \x1b[31m \xe2\x80\xae";
  board.must({"post", "a", "--body", "-"}, text);
  board.must({"claim", "t1", "--as", "me"});
  board.must({"done", "t1", "--as", "me", "--result", "-"}, std::string("whole\0result", 12));
  const std::string shown = board.must({"show", "t1"});
  CHECK(contains(shown, "one\n\ttwo \\x1b[31m \\u202e\n"));
  CHECK(contains(shown, "whole\\x00result"));
  CHECK(board.data({"tasks", "--json"}).array().at(0).find("body")->string() == text);
  CHECK(contains(board.must({"query", "SELECT body FROM tasks", "--csv"}), text));
  const std::string line = board.must({"query", "SELECT result FROM tasks", "--csv"});
  CHECK(line == "result\n" + std::string("whole\0result", 12));
}

TEST_CASE("CSV lines end as a shell expects; with --excel, as Excel does") {
  const TestBoard board;
  CHECK(board.run({"query", "SELECT 1 AS a, 2 AS b", "--csv"}).out == "a,b\n1,2\n");
  CHECK(board.run({"query", "SELECT 1 AS a, 2 AS b", "--csv", "--excel"}).out == "a,b\r\n1,2\r\n");
  CHECK(board.run({"query", "SELECT 1", "--excel"}).exit_code == 2);
}

TEST_CASE("A full disk or a closed stdout is told, exit 1, and a job does not begin") {
  const TestBoard board;
  board.must({"post", "a"});
  board.write("job.yaml", "tasks: {a: {run: \"true\"}}\n");
  for (const char* words :
       {"tasks", "tasks --json", "log", "status", "query 'SELECT 1'", "--help", "--version", "help jobs",
        "completion bash", "prime", "graph", "post b", "log --follow", "run job.yaml"}) {
    const Finished full = in_shell(board, std::string("\"$BIDBOARD\" ") + words + " >/dev/full");
    INFO(words << "\n" << full.err);
    CHECK(full.exit_code == 1);
    CHECK(contains(full.err, "bidboard: cannot write to standard output: No space left on device"));
  }
  CHECK(board.value("SELECT count(*) FROM tasks") == "2");
  const Finished closed = in_shell(board, "\"$BIDBOARD\" tasks >&-");
  CHECK(closed.exit_code == 1);
  CHECK(contains(closed.err, "Bad file descriptor"));
  check_whole(board.directory());
}

TEST_CASE("A folder in place of a file, and a TMPDIR that does not exist, are one line and no abort") {
  const TestBoard board;
  for (const char* words : {"run .", "post x --body @.", "auction solve .", "agent --description @.",
                            "experiment run .", "query @.", "post x --body - <."}) {
    const Finished finished = in_shell(board, std::string("\"$BIDBOARD\" ") + words);
    INFO(words << "\n" << finished.err);
    CHECK(finished.exit_code == 2);
    CHECK(contains(finished.err, "it is a folder, not a file"));
    CHECK(lines_of(finished.err).size() == 1);
  }
  const TestBoard empty(false);
  empty.write("job.yaml", "tasks: {a: {run: \"true\"}}\n");
  ProcessOptions options = empty.surroundings();
  options.environment["TMPDIR"] = "/nonexistent";
  const Finished finished = empty.run({"run", "job.yaml"}, options);
  INFO(finished.err);
  CHECK(finished.exit_code == 1);
  CHECK(contains(finished.err, "TMPDIR does not name a folder"));
  CHECK(lines_of(finished.err).size() == 1);
}
