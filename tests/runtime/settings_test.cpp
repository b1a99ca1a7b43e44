#include "runtime/jobs/settings.hpp"

#include <regex>

#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

const KnownNames known{{"auction", "blackboard", "random"}, {"first_price", "sequential", "vickrey"}};

Settings settings_of(std::string_view text) {
  auto settings = read_settings(text, "bidboard.yaml", known);
  INFO((settings ? "" : settings.error().text));
  REQUIRE(settings.has_value());
  return *settings;
}

std::string error_of(std::string_view text) {
  const auto settings = read_settings(text, "bidboard.yaml", known);
  REQUIRE_FALSE(settings.has_value());
  return settings.error().text;
}

}  // namespace

TEST_CASE("an empty settings file gives the defaults") {
  for (const char* text : {"", "# nothing\n", "restart:\nagents:\n"}) {
    const Settings settings = settings_of(text);
    CHECK(settings.config == Config{});
    CHECK(settings.durable);
    CHECK(settings.restart == RestartLimit{5, seconds(30)});
    CHECK(settings.agents.empty());
  }
}

TEST_CASE("every setting is read") {
  const Settings settings = settings_of(R"(
project: demo
strategy: random
mechanism: vickrey
calibrate: false
weights: {seconds: 0.5, price: 2}
bid_timeout: 500ms
heartbeat: 1s
lease: 3s
backoff: 0
seed: 42
durability: none
restart: {intensity: 2, period: 1m}
agents:
  - {name: coder, count: 2, exec: "claude -p", restart: false}
  - {name: runner, allow_run: true}
)");
  Config config;
  config.project = "demo";
  config.strategy = "random";
  config.mechanism = "vickrey";
  config.calibrate = false;
  config.seconds_weight = 500'000;
  config.price_weight = 2 * one;
  config.bid_timeout = milliseconds(500);
  config.heartbeat = seconds(1);
  config.lease = seconds(3);
  config.backoff = {};
  config.seed = 42;
  CHECK(settings.config == config);
  CHECK_FALSE(settings.durable);
  CHECK(settings.restart == RestartLimit{2, seconds(60)});
  REQUIRE(settings.agents.size() == 3);
  CHECK(settings.agents[1].profile.name == "coder2");
  CHECK_FALSE(settings.agents[1].restart);
  CHECK(settings.agents[2].restart);
}

TEST_CASE("all errors in the settings are reported at once") {
  CHECK(error_of(R"(stratgy: auction
mechanism: vikrey
weights: {second: 1, price: -1}
bid_timeout: never
heartbeat: 20s
durability: maybe
restart: 5
seed: -1
agents: {name: a}
)") == R"(bidboard.yaml:1:1: unknown key 'stratgy'; did you mean 'strategy'?
bidboard.yaml:2:12: 'mechanism' 'vikrey' is not known; did you mean 'vickrey'?
bidboard.yaml:3:11: weights: unknown key 'second'; did you mean 'seconds'?
bidboard.yaml:3:29: weights: 'price' must be a number from 0 to 1000000, not -1
bidboard.yaml:4:14: 'bid_timeout' must be a duration of at least 1ms, not 'never'; write for example 250ms, 60s, 5m or 2h
bidboard.yaml:5:12: 'lease' is 30.0s, less than two heartbeats of 20.0s; set lease: 60s or a shorter heartbeat
bidboard.yaml:6:13: 'durability' 'maybe' is not known; choose from commit and none
bidboard.yaml:7:10: restart: must be a map, not 5; write {intensity: 5}
bidboard.yaml:8:7: 'seed' must be a whole number from 0 to 9223372036854775807, not -1
bidboard.yaml:9:9: 'agents' must be a list, not a map; write - {name: ..., exec: ...} for each agent)");
  CHECK(error_of("weights: {seconds: 0, price: 0}") ==
        "bidboard.yaml:1:10: 'weights' are both 0; set one of them above 0");
}

TEST_CASE("the default file holds every key, and its comments give the real defaults") {
  Config chosen;
  chosen.project = "my \"project\"";
  const std::string file = default_settings_file(chosen);
  CHECK(settings_of(file).config.project == "my \"project\"");
  const Settings settings = settings_of(std::regex_replace(file, std::regex("\n#(?! )"), "\n"));
  Config defaults;
  defaults.project = "my \"project\"";
  CHECK(settings.config == defaults);
  CHECK(settings.durable);
  CHECK(settings.restart == RestartLimit{});
  CHECK(settings.agents.size() == 3);
}

TEST_CASE("the default file holds the chosen strategy and mechanism") {
  Config chosen;
  chosen.project = "p";
  chosen.strategy = "blackboard";
  chosen.mechanism = "vickrey";
  CHECK(settings_of(default_settings_file(chosen)).config == chosen);
}

TEST_CASE("the settings reference lists every key with its default") {
  const std::string reference = settings_reference();
  for (const char* row :
       {"| `lease` | duration | 30s |", "| `intensity` | whole number | 5 |",
        "| `restart` | true or false | true |", "| `durability` | commit or none | commit |"})
    CHECK(reference.find(row) != std::string::npos);
}

TEST_CASE(
    "an account that is nearly called like one with limits, and merging without worktrees, are doubted") {
  const auto doubts_of = [](const std::string& text) { return doubts(settings_of(text)); };
  const std::string typo =
      "agents: [{name: a, exec: x, account: openia}]\naccounts: {openai: {max_running: 1}}\n";
  REQUIRE(doubts_of(typo).size() == 1);
  CHECK(doubts_of(typo).front().find("'openia'") != std::string::npos);
  CHECK(doubts_of(typo).front().find("no agent has 'openai'") != std::string::npos);
  CHECK(
      doubts_of("agents: [{name: a, exec: x, account: openia}]\nbudgets: {\"account:openai\": 5}\n").size() ==
      1);
  CHECK(doubts_of("agents: [{name: a, exec: x, account: other}]\naccounts: {openai: {max_running: 1}}\n")
            .empty());
  CHECK(doubts_of("agents: [{name: a, exec: x, account: openai1}, {name: b, exec: x, account: openai}]\n"
                  "accounts: {openai: {max_running: 1}}\n")
            .empty());

  const std::string merging = "merge: {into: main, auto: true}\n";
  REQUIRE(doubts_of(merging + "agents: [{name: a, exec: x}]\n").size() == 1);
  CHECK(doubts_of(merging + "agents: [{name: a, exec: x}, {name: b, exec: x, worktree: task}]\n").empty());
  CHECK(doubts_of(merging).empty());
  CHECK(doubts_of("merge: {push: origin}\nagents: [{name: a, exec: x}]\n").size() == 1);
}
