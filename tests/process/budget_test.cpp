// Budgets over real processes: what sessions report as their price is what stops further ones.
#include <csignal>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/client_agents.hpp"
#include "tests/support/test_board.hpp"

using namespace bidboard;
using namespace bidboard::testing;

namespace {

constexpr const char* priced_claude = R"sh(echo "$*" >> "$0.arguments"
echo '{"type":"result","subtype":"success","is_error":false,"result":"fine","total_cost_usd":0.25,"usage":{"input_tokens":3,"output_tokens":4}}'
)sh";

constexpr const char* failing_claude = R"sh(
echo '{"type":"result","subtype":"error_max_turns","is_error":true,"result":"too long","total_cost_usd":0.25,"usage":{"input_tokens":3,"output_tokens":4}}'
exit 1
)sh";

constexpr const char* codex_without_a_price = R"sh(
echo '{"type":"item.completed","item":{"type":"agent_message","text":"fine"}}'
echo '{"type":"turn.completed","usage":{"input_tokens":100000,"cached_input_tokens":20000,"output_tokens":10000}}'
echo '{"type":"turn.completed","usage":{"input_tokens":200000,"cached_input_tokens":40000,"output_tokens":20000}}'
)sh";

Config with_budget(const std::string& scope, Micros money) {
  Config config;
  config.budgets = {{scope, {money, 0}}};
  config.estimate = {250'000, 0};
  return config;
}

}  // namespace

TEST_CASE("A day's budget stops awards before it is exceeded, and raising it lets the board go on") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", priced_claude);
  const Process controller = board.serve();
  board.configure(with_budget("day", 600'000));
  const Process agent = client_agent(board, options, "one", "claude", "team");
  board.await_agents(1);
  for (int i = 1; i <= 4; ++i) board.must({"post", fmt::format("task {}", i)});
  REQUIRE(board.becomes("SELECT count(*) FROM tasks WHERE state = 'done'", "2"));
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'task_held'", "2"));
  CHECK(contains(board.must({"explain", "t3"}), "It is held back: budget"));
  CHECK(contains(board.must({"explain", "t3"}), "may spend 0.6, 0.5 is spent, this one 0.25"));
  CHECK(contains(board.must({"budget"}), "0.6"));
  CHECK(contains(board.must({"budget"}), "too little left"));  // not spent: 0.1 is left
  // The client is told what is left for it.
  CHECK(board.read("bin/claude.arguments").find("--max-budget-usd 0.6") != std::string::npos);
  CHECK(board.read("bin/claude.arguments").find("--max-budget-usd 0.35") != std::string::npos);
  board.must({"budget", "raise", "day", "1"});
  for (int i = 1; i <= 4; ++i) REQUIRE(board.task_becomes(fmt::format("t{}", i), "done"));
  CHECK(
      board.value("SELECT money, tokens, attempts FROM spending WHERE scope = 'account' AND name = 'team'") ==
      "1.0|28|4");
  CHECK(contains(board.must({"spend", "--by", "agent"}), "one"));
  CHECK(board.run({"doctor", "--deep"}).exit_code == 0);
}

TEST_CASE("The price of failed attempts counts, and an account whose budget is spent gets no work") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "claude", failing_claude);
  const Process controller = board.serve();
  board.configure(with_budget("account:team", 300'000));
  const Process agent = client_agent(board, options, "one", "claude", "team");
  board.await_agents(1);
  board.must({"post", "hopeless", "--attempts", "5"});
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'attempt_ended'", "1"));
  CHECK(contains(board.must({"explain", "t1"}), "no: 0.25 of the 0.3 that account:team may spend is spent"));
  CHECK(contains(board.must({"agents"}), "account:team may spend is spent"));
  // Another account's agent may still do it.
  const Process other = board.agent("other", {"--exec", "echo fine"});
  REQUIRE(board.task_becomes("t1", "done"));
  CHECK(board.value("SELECT holder FROM tasks") == "other");
}

TEST_CASE("Tokens have the price that bidboard.yaml gives them, and a budget of money counts it") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "codex", codex_without_a_price);
  board.write("bidboard.yaml",
              "budgets: {day: 0.5}\nestimate: 0.4\n"
              "prices: {gpt-5-codex: {input: 1.25, cached: 0.125, output: 10}}\n"
              "agents: [{name: one, preset: codex, model: gpt-5-codex}]\n");
  Process up = board.start({"up"}, options);
  board.await_agents(1);
  for (int i = 1; i <= 2; ++i) board.must({"post", fmt::format("task {}", i)});
  REQUIRE(board.becomes("SELECT count(*) FROM log WHERE kind = 'task_held'", "1"));
  // 160000 × 1.25 + 40000 × 0.125 + 20000 × 10 for a million
  CHECK(board.value("SELECT money, tokens, attempts FROM spending WHERE scope = 'agent' AND name = 'one'") ==
        "0.405|220000|1");
  CHECK_FALSE(contains(up.err(), "tells tokens and no price"));
  ::kill(up.pid(), SIGTERM);
  CHECK(up.wait() == 0);
}

TEST_CASE("Agents of a job, or typed, have the prices of bidboard.yaml; who has none is named") {
  const TestBoard board;
  const ProcessOptions options = with_client(board, "codex", codex_without_a_price);
  board.write("bidboard.yaml", "prices: {gpt: {input: 1.25, cached: 0.125, output: 10}}\n");
  board.write("job.yaml",
              "agents: [{name: of-job, preset: codex, model: gpt}]\ntasks: {t: {title: x, budget: 9}}\n");
  const Finished ran = board.run({"run", board.path("job.yaml")}, options);
  INFO(ran.out << ran.err);
  CHECK(ran.exit_code == 0);
  CHECK_FALSE(contains(ran.err, "tells tokens and no price"));
  CHECK(board.value("SELECT money FROM spending WHERE scope = 'agent' AND name = 'of-job'") == "0.405");
  board.write("other.yaml", "agents: [{name: of-other, preset: codex}]\ntasks: {t: {title: x, budget: 9}}\n");
  CHECK(contains(board.run({"run", board.path("other.yaml")}, options).err,
                 "of-other: codex tells tokens and no price"));

  const Process controller = board.serve();
  const Process agent =
      board.start({"agent", "--name", "typed", "--preset", "codex", "--model", "gpt"}, options);
  board.await_agents(1);
  board.must({"post", "more"});
  REQUIRE(board.becomes("SELECT money FROM spending WHERE scope = 'agent' AND name = 'typed'", "0.405"));
}

TEST_CASE("A budget that nobody has, or an amount that is none, is refused with what to write") {
  const TestBoard board;
  const Finished none = board.run({"budget", "raise", "day", "5"});
  CHECK(none.exit_code == 3);
  CHECK(contains(none.err, "day has no budget; `budgets:` in bidboard.yaml sets one"));
  const Finished wrong = board.run({"budget", "raise", "tuesday", "5"});
  CHECK(wrong.exit_code == 2);
  CHECK(contains(wrong.err, "write board, day, project:NAME"));
  CHECK(board.run({"budget", "raise", "day", "-5"}).exit_code == 2);
  CHECK(board.run({"budget", "raise", "day"}).exit_code == 2);
  CHECK(board.run({"spend", "--by", "colour"}).exit_code == 2);
  CHECK(contains(board.must({"spend"}), "No attempt has told what it cost"));
  CHECK(contains(board.must({"budget"}), "No budgets."));
  board.write("bidboard.yaml", "budgets: {day: 20}\n");
  CHECK(contains(board.must({"budget"}), "`bidboard up` brings those of bidboard.yaml to it"));
  board.write("bidboard.yaml", "budgets: {day: many}\n");
  CHECK(contains(board.run({"budget"}).err, "bidboard.yaml"));
}
