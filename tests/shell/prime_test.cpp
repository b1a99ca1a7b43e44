#include "tests/support/catch.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

TEST_CASE("`prime --for` writes a section where the client reads it, renews it, and takes it back") {
  const TestBoard board;
  const std::pair<std::string, std::string> files[] = {
      {"claude", "CLAUDE.md"}, {"codex", "AGENTS.md"}, {"gemini", "GEMINI.md"}, {"aider", "CONVENTIONS.md"}};
  for (const auto& [client, file] : files) {
    INFO(client);
    const std::string before = "# Our rules\n\nTabs.\n";
    board.write(file, before);
    board.must({"prime", "--for", client, "--dry-run"});
    CHECK(board.read(file) == before);
    board.must({"prime", "--for", client});
    const std::string primed = board.read(file);
    CHECK(primed.starts_with(before + "\n<!-- bidboard: begin -->\n# Working with Bidboard\n"));
    CHECK(primed.ends_with("<!-- bidboard: end -->\n"));
    CHECK(contains(board.must({"prime", "--for", client}), "nothing to change"));

    // An older text is replaced where it stands.
    board.write(file, "<!-- bidboard: begin -->\nold\n<!-- bidboard: end -->\nmine\n");
    board.must({"prime", "--for", client});
    CHECK(board.read(file).ends_with("<!-- bidboard: end -->\nmine\n"));
    CHECK_FALSE(contains(board.read(file), "old\n"));

    board.write(file, primed);
    board.must({"prime", "--for", client, "--remove"});
    CHECK(board.read(file) == before);
  }
  CHECK(board.must({"prime"}).starts_with("# Working with Bidboard"));
}

TEST_CASE("`prime --for` says what it cannot do") {
  const TestBoard board;
  const auto refused = [&](const std::string& text, std::vector<std::string> words) {
    const Finished finished = board.run(std::move(words));
    INFO(finished.err);
    CHECK(finished.exit_code == 2);
    CHECK(contains(finished.err, text));
  };
  refused("'emacs' is not a known client: claude, codex", {"prime", "--for", "emacs"});
  refused("are for `bidboard prime --for CLIENT`", {"prime", "--remove"});
  board.write("CLAUDE.md", "<!-- bidboard: begin -->\nhalf\n");
  refused("CLAUDE.md: has the line", {"prime", "--for", "claude"});
  CHECK(board.read("CLAUDE.md") == "<!-- bidboard: begin -->\nhalf\n");
}
