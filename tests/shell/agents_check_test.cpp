#include <csignal>
#include <filesystem>

#include "tests/support/catch.hpp"
#include "tests/support/client_agents.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr const char* stand_in = R"sh(
case "$*" in *--version*) echo "9.9.9 (Stand-in)"; echo more; exit;; esac
if [ "$KEY" = good ]; then
  echo '{"type":"result","subtype":"success","is_error":false,"result":"ready","total_cost_usd":0.25}'
else
  echo '{"type":"result","subtype":"success","is_error":true,"result":"API Error: 401 Invalid API key","api_error_status":401}'
  exit 1
fi
)sh";

}  // namespace

TEST_CASE("`agents check` says which agents can work, and what to do about the others") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", stand_in);
  board.write("bidboard.yaml",
              "agents:\n"
              "- {name: opus, preset: claude, count: 2, env: {KEY: good}}\n"
              "- {name: stray, preset: claude}\n"
              "- {name: dex, preset: codex, env: {PATH: /nowhere}}\n"
              "- {name: plain, exec: 'X=1 cat -'}\n"
              "- {name: lost, exec: no-such-program --fast}\n");
  const Finished seen = board.run({"agents", "check"}, options);
  INFO(seen.out << seen.err);
  CHECK(seen.exit_code == 6);
  CHECK(contains(seen.out, "opus1, opus2  claude"));
  CHECK(contains(seen.out, "9.9.9 (Stand-in)"));
  CHECK(contains(seen.out, "codex is not installed, or not on the agent's PATH"));
  CHECK(contains(seen.out, "npm install -g @openai/codex"));
  CHECK(contains(seen.out, "no-such-program is not installed"));
  CHECK_FALSE(contains(seen.out, "answers"));

  const Finished called = board.run({"agents", "check", "--call"}, options);
  INFO(called.out << called.err);
  CHECK(contains(called.out, "answers: ready (price 0.25)"));
  CHECK(contains(called.out, "authentication: API Error: 401 Invalid API key"));

  board.write("bidboard.yaml", "agents: [{name: opus, preset: claude}, {name: plain, exec: cat}]\n");
  CHECK(board.run({"agents", "check"}, options).exit_code == 0);
  CHECK(board.run({"agents", "chek"}, options).exit_code == 2);
  CHECK(board.run({"agents", "--call"}, options).exit_code == 2);
  CHECK(board.run({"agents", "check", "--json"}, options).exit_code == 2);
  CHECK(contains(board.run({"agents", "check"}, options).err, "agents check --call"));
  board.write("bidboard.yaml", "project: none\n");
  CHECK(contains(board.must({"agents", "check"}), "bidboard.yaml lists no agents"));
}

TEST_CASE("`agents check` looks at agents with worktrees, and at commands that are no shell's") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", stand_in);
  board.write("bidboard.yaml",
              "agents:\n"
              "- {name: tree, preset: claude, env: {KEY: good}, worktree: task, dir: plain}\n"
              "- {name: open, exec: \"echo 'unfinished\"}\n");
  std::filesystem::create_directories(board.path("plain"));
  const Finished seen = board.run({"agents", "check"}, options);
  INFO(seen.out << seen.err);
  CHECK(seen.exit_code == 6);
  CHECK(contains(seen.out, "`worktree:` needs a folder that is in a commit of a git repository"));
  CHECK(contains(seen.out, "its command cannot be executed"));

  const std::string git = "cd '" + board.path("plain") +
                          "' && git init -q && git -c user.name=x -c "
                          "user.email=x@x commit -q --allow-empty -m first";
  REQUIRE(run_program({"/bin/sh", "-c", git}).exit_code == 0);
  const Finished called = board.run({"agents", "check", "--call"}, options);
  INFO(called.out << called.err);
  CHECK(contains(called.out, "answers: ready"));
  CHECK_FALSE(contains(called.out, "git repository"));

  // In the repository, but in no commit of it: no worktree would have it.
  std::filesystem::create_directories(board.path("plain/below"));
  board.write("bidboard.yaml", "agents: [{name: tree, preset: claude, worktree: task, dir: plain/below}]\n");
  CHECK(contains(board.run({"agents", "check"}, options).out, "plain/below is not"));
}

TEST_CASE("An interrupted `agents check --call` ends the client and leaves no folder behind") {
  const TestBoard board;
  ProcessOptions options = with_client(board, "claude",
                                       "case \"$*\" in *--version*) echo 1; exit;; esac\n"
                                       "touch \"$BEGAN\"; exec sleep 600\n");
  const TempDir temporary;
  options.environment["TMPDIR"] = temporary.path();
  options.environment["BEGAN"] = board.path("began");
  board.write("bidboard.yaml", "agents: [{name: opus, preset: claude}]\n");
  Process check = board.start({"agents", "check", "--call"}, options);
  REQUIRE(eventually([&] { return std::filesystem::exists(board.path("began")); }));
  ::kill(check.pid(), SIGINT);
  CHECK(check.wait() != 0);
  CHECK(contains(check.err(), "interrupted"));
  CHECK(std::filesystem::is_empty(temporary.path()));
}

TEST_CASE("`agents check` warns of agents that a budget of money does not bound, and of none else") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "codex", "echo 1\n");
  const std::string agents = "agents: [{name: dex, preset: codex, model: gpt}]\n";
  board.write("bidboard.yaml", "budgets: {day: 5}\n" + agents);
  const Finished warned = board.run({"agents", "check"}, options);
  INFO(warned.out << warned.err);
  CHECK(warned.exit_code == 0);
  CHECK(contains(warned.err, "dex: codex tells tokens and no price"));
  CHECK(contains(warned.err, "`prices: {gpt: {input: PRICE, output: PRICE}}` to bidboard.yaml"));
  board.write("bidboard.yaml", "budgets: {day: 5}\nprices: {gpt: {input: 1, output: 2}}\n" + agents);
  CHECK_FALSE(contains(board.run({"agents", "check"}, options).err, "no price"));
}

TEST_CASE("`up` says at once that the program of an agent is not there") {
  const TestBoard board;
  board.write("bidboard.yaml",
              "agents: [{name: lost, exec: no-such-program}, {name: plain, exec: cat}, "
              "{name: dex, preset: codex}]\nbudgets: {day: 1}\n");
  Process up = board.start({"up"});
  board.await_agents(3);
  CHECK(eventually([&] { return contains(up.err(), "dex: codex tells tokens and no price"); }));
  CHECK(eventually([&] { return contains(up.err(), "lost: no-such-program is not installed"); }));
  CHECK_FALSE(contains(up.err(), "plain:"));
  ::kill(up.pid(), SIGTERM);
  CHECK(up.wait() == 0);
}
