// What tokens cost: read from files, given to agents, and missed where a budget needs it.
#include "runtime/jobs/prices.hpp"

#include "runtime/jobs/settings.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const KnownNames known{{"auction"}, {"sequential"}};

Settings settings_of(const std::string& text) {
  Result<Settings> settings = read_settings(text, "bidboard.yaml", known);
  INFO((settings ? "" : settings.error().text));
  REQUIRE(settings.has_value());
  return std::move(*settings);
}

std::string error_of(const std::string& text) {
  const Result<Settings> settings = read_settings(text, "bidboard.yaml", known);
  REQUIRE_FALSE(settings.has_value());
  return settings.error().text;
}

std::vector<std::string> warnings(const std::string& text, bool tasks_have_budgets = false) {
  const Settings settings = settings_of(text);
  return unpriced(settings.agents, settings.config, tasks_have_budgets);
}

constexpr TokenPrice codex_price{1'250'000, 125'000, 10'000'000};

}  // namespace

TEST_CASE("an agent has the price of its model, unless it has one of its own") {
  const Settings settings = settings_of(
      "prices:\n"
      "  gpt-5-codex: {input: 1.25, cached: 0.125, output: 10}\n"
      "  local: {input: 0, output: 0}\n"
      "agents:\n"
      "- {name: a, preset: codex, model: gpt-5-codex}\n"
      "- {name: b, preset: codex, model: gpt-5-codex, token_price: {input: 2, output: 3}}\n"
      "- {name: c, preset: codex, model: local}\n"
      "- {name: d, preset: codex, model: other}\n"
      "- {name: e, preset: codex}\n");
  REQUIRE(settings.agents.size() == 5);
  CHECK(settings.agents[0].token_price == codex_price);
  CHECK(settings.agents[1].token_price == TokenPrice{2'000'000, 2'000'000, 3'000'000});  // cached as input
  CHECK(settings.agents[2].token_price == TokenPrice{});                                 // known, and nothing
  CHECK_FALSE(settings.agents[3].token_price);
  CHECK_FALSE(settings.agents[4].token_price);
}

TEST_CASE("job files have prices too") {
  const auto plan = read_plan(
      "prices: {gpt: {input: 1.25, cached: 0.125, output: 10}}\n"
      "agents: [{name: a, preset: codex, model: gpt}]\n"
      "tasks: {t: {title: x}}\n",
      "job.yaml", known);
  REQUIRE(plan.has_value());
  CHECK(plan->agents.at(0).token_price == codex_price);
}

TEST_CASE("findings in prices name their place and what to write") {
  CHECK(error_of("prices: {gpt: {input: -1, output: 10}}") ==
        "bidboard.yaml:1:23: price of 'gpt': 'input' must be a number from 0 to 1000000000, not -1");
  CHECK(error_of("prices:\n  gpt: {input: 1, outputs: 10}") ==
        "bidboard.yaml:2:8: price of 'gpt': has no output; add output: what a million such tokens cost\n"
        "bidboard.yaml:2:19: price of 'gpt': unknown key 'outputs'; did you mean 'output'?");
  CHECK(
      error_of("prices: {gpt: 3}") ==
      "bidboard.yaml:1:15: price of 'gpt': must be a map, not 3; write {input: 1.25, cached: 0.125, output: "
      "10}");
  CHECK(error_of("prices: 3") ==
        "bidboard.yaml:1:9: prices: must be a map, not 3; write {gpt-5-codex: {input: 1.25, cached: 0.125, "
        "output: 10}}");
  CHECK(
      error_of("agents: [{name: a, preset: codex, token_price: {input: x, output: 1}}]") ==
      "bidboard.yaml:1:56: agent 'a': 'token_price': 'input' must be a number from 0 to 1000000000, not 'x'");
  CHECK(error_of("agents: [{name: a, preset: codex, token_price: [input=1, input=2, output=3]}]") ==
        "bidboard.yaml:1:58: agent 'a': 'token_price' names 'input' twice; leave one out");
  CHECK(error_of("agents: [{name: a, exec: x, token_price: {input: 1, output: 1}}]") ==
        "bidboard.yaml:1:42: agent 'a': has token_price but tells no tokens; add preset or tokens_field, or "
        "remove it");
}

TEST_CASE("who costs nothing in a budget of money is named, with the budget and what to type") {
  const std::string agents =
      "agents:\n"
      "- {name: c, count: 2, preset: codex, model: gpt}\n"
      "- {name: g, preset: gemini, account: google}\n"
      "- {name: o, preset: claude}\n";
  CHECK(warnings(agents).empty());
  CHECK(warnings("budgets: {day: {tokens: 5}}\n" + agents).empty());
  CHECK(warnings("budgets: {day: 5, 'account:google': 1, 'agent:o': 1}\n" + agents) ==
        std::vector<std::string>{
            "c1 and c2: codex tells tokens and no price, so its tasks cost nothing in the budget of day; add "
            "`prices: {gpt: {input: PRICE, output: PRICE}}` to bidboard.yaml, in money for a million tokens",
            "g: gemini tells tokens and no price, so its tasks cost nothing in the budget of account:google "
            "and "
            "day; add `token_price: {input: PRICE, output: PRICE}` to the agent, in money for a million "
            "tokens"});
  CHECK(warnings("budgets: {day: 5}\nprices: {gpt: {input: 1, output: 1}}\n"
                 "agents: [{name: c, preset: codex, model: gpt}]")
            .empty());
  CHECK(warnings("agents: [{name: c, preset: codex}]", true).size() == 1);
}

TEST_CASE("only budgets that an agent can be charged to make it worth a warning") {
  const auto warned = [](const std::string& scope, const std::string& keys) {
    return !warnings("budgets: {'" + scope + "': 5}\nagents: [{name: a, " + keys + "}]").empty();
  };
  CHECK(warned("board", "preset: codex"));
  CHECK(warned("workflow:w1", "preset: codex"));
  CHECK(warned("project:web", "preset: codex"));
  CHECK(warned("project:web", "preset: codex, project: web"));
  CHECK_FALSE(warned("project:web", "preset: codex, project: other"));
  CHECK(warned("agent:a", "preset: codex"));
  CHECK_FALSE(warned("agent:b", "preset: codex"));
  CHECK_FALSE(warned("account:x", "preset: codex"));
  CHECK(warned("day", "preset: aider"));
  CHECK(warned("day", "exec: x, tokens_field: usage"));
  CHECK_FALSE(warned("day", "exec: x, tokens_field: usage, price_field: usd"));
  CHECK_FALSE(warned("day", "exec: x"));
}
