#include "tests/support/catch.hpp"
#include "tests/support/temp_dir.hpp"
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

TEST_CASE("`prime --for` finds its section again in a file whose line ends an editor has changed") {
  const TestBoard board;
  const auto sections = [&] {
    std::size_t count = 0;
    for (const std::string& line : lines_of(board.read("CLAUDE.md")))
      count += line.starts_with("<!-- bidboard: begin -->") ? 1 : 0;
    return count;
  };
  const std::string windows = "# Our rules\r\n\r\nTabs.\r\n";
  board.write("CLAUDE.md", windows);
  board.must({"prime", "--for", "claude"});
  const std::string primed = board.read("CLAUDE.md");
  CHECK(contains(primed, "Tabs.\r\n\r\n<!-- bidboard: begin -->\r\n# Working with Bidboard\r\n"));
  for (std::size_t at = primed.find('\n'); at != primed.npos; at = primed.find('\n', at + 1))
    REQUIRE(primed[at - 1] == '\r');
  CHECK(contains(board.must({"prime", "--for", "claude"}), "nothing to change"));
  board.must({"prime", "--for", "claude", "--remove"});
  CHECK(board.read("CLAUDE.md") == windows);

  // The last newline is gone.
  board.write("CLAUDE.md", "Tabs.\n");
  board.must({"prime", "--for", "claude"});
  const std::string whole = board.read("CLAUDE.md");
  board.write("CLAUDE.md", whole.substr(0, whole.size() - 1));
  board.must({"prime", "--for", "claude"});
  CHECK(sections() == 1);
  board.must({"prime", "--for", "claude", "--remove"});
  CHECK(board.read("CLAUDE.md") == "Tabs.\n");
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

TEST_CASE("`prime --for` where there is no board says that it writes into this folder") {
  const TestBoard board;
  ProcessOptions elsewhere = board.surroundings();
  const TempDir folder;
  elsewhere.directory = folder.path();
  const Finished finished = board.run({"prime", "--for", "claude"}, elsewhere);
  CHECK(finished.exit_code == 0);
  CHECK(contains(finished.err, "There is no board here: " + folder.path() + "/CLAUDE.md"));
}
