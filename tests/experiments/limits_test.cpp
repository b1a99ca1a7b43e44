// Experiments with accounts: what a file may say of them, and what runs with them measure.
#include <algorithm>

#include "experiments/hypotheses.hpp"
#include "experiments/identity.hpp"
#include "experiments/results.hpp"
#include "experiments/schedule.hpp"
#include "experiments/simulate.hpp"
#include "runtime/coordination/strategy.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

Result<Experiment> read(const std::string& faults,
                        const std::string& strategies = "[{auction: sequential}]") {
  return read_experiment(
      "name: x\nworkloads: [{generate: layered, tasks: 60}]\nagents: [{count: 6}]\n"
      "strategies: " +
          strategies + "\nfaults: " + faults + "\n",
      "x.yaml", {});
}

std::string findings(const std::string& faults, const std::string& strategies = "[fifo]") {
  const Result<Experiment> experiment = read(faults, strategies);
  REQUIRE_FALSE(experiment.has_value());
  return experiment.error().text;
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

const std::string resting_and_retries =
    "[{auction: sequential, name: resting}, {auction: sequential, outages: failures, name: retries}, "
    "{auction: sequential, outages: failures, attempts: 50, name: many retries}]";
const std::string overloads =
    "{name: overload, accounts: {count: 2, price: 0.5, outages: [{class: overload, every: 60s, lasts: "
    "30s}]}}";

Measured measured(const Experiment& experiment, const Cell& cell) {
  const Setting setting = setting_of(experiment, cell);
  const Result<RunFacts> facts = simulate(experiment, cell, setting, lower_bound(setting));
  INFO((facts ? "" : facts.error().text));
  REQUIRE(facts.has_value());
  return measure_run(*facts, yardsticks_of(experiment, cell, setting));
}

double value(const Measured& run, const char* name) { return run[measure_position(name)].value_or(-1); }

}  // namespace

TEST_CASE("a fault may give agents accounts, with outages, limits, prices and budgets") {
  const auto experiment = read(
      "[none, {accounts: {count: 3, calls: 20, window: 30s, call_every: 2s, price: 0.1, price_per_second: "
      "0.01, "
      "board_budget: 2, account_budget: 1.5, outages: [{class: quota, every: 1h, lasts: 10m, stated: "
      "0.5}]}}]",
      "[{auction: sequential, outages: failures, attempts: 9, max_running: 4}]");
  INFO((experiment ? "" : experiment.error().text));
  REQUIRE(experiment.has_value());
  CHECK_FALSE(experiment->faults[0].accounts);
  const AccountsSpec& accounts = experiment->faults[1].accounts.value();
  CHECK(accounts.count == 3);
  CHECK(accounts.terms.calls_max == 20);
  CHECK(accounts.terms.window == seconds(30));
  CHECK(accounts.terms.call_every == seconds(2));
  CHECK(accounts.terms.price == one / 10);
  CHECK(accounts.terms.price_per_second == one / 100);
  CHECK(accounts.board_budget == 2 * one);
  CHECK(accounts.account_budget == one + one / 2);
  REQUIRE(accounts.terms.outages.size() == 1);
  CHECK(accounts.terms.outages[0].outage == Outage::quota);
  CHECK(accounts.terms.outages[0].every == minutes(60));
  CHECK(accounts.terms.outages[0].lasts == minutes(10));
  CHECK(accounts.terms.outages[0].stated == one / 2);
  CHECK(experiment->faults[1].name ==
        "3 accounts, 20 calls in 30.0s, quota, budget × 2, budgets of accounts × 1.5");
  CHECK(experiment->strategies[0].name == "auction sequential, plain retries, 9 attempts, 4 at once");
}

TEST_CASE("what is wrong with accounts is told with its line") {
  CHECK(says(findings("[{accounts: {count: 0}}]"), "x.yaml:5:29: accounts: 'count' must be a whole number"));
  CHECK(says(findings("[{accounts: {calls: many}}]"), "x.yaml:5:29: accounts: 'calls'"));
  CHECK(says(findings("[{accounts: {cals: 3}}]"), "did you mean 'calls'?"));
  CHECK(says(findings("[{accounts: 3}]"), "x.yaml:5:21: accounts"));
  CHECK(
      says(findings("[{accounts: {outages: overload}}]"), "x.yaml:5:31: accounts: 'outages' must be a list"));
  CHECK(says(findings("[{accounts: {outages: [{class: overlod}]}}]"),
             "x.yaml:5:40: outage: 'class' 'overlod' is not known"));
  CHECK(says(findings("[{accounts: {outages: [{every: 5m}]}}]"), "x.yaml:5:32: an outage needs a class"));
  CHECK(says(findings("[{accounts: {outages: [{class: quota, lasts: 0s}]}}]"), "outage: 'lasts' must be"));
  CHECK(says(findings("[none]", "[{auction: sequential, outages: ignored}]"),
             "x.yaml:4:45: strategy: 'outages'"));
  CHECK(says(findings("[{accounts: {}}]", "[{peer: without-arbiter}]"),
             "x.yaml:5:10: without an arbiter nobody knows which accounts rest"));
  CHECK(says(read_experiment("name: x\nmode: live\nworkloads: [{generate: chain}]\nstrategies: [fifo]\n"
                             "faults: [{accounts: {}}]\n",
                             "x.yaml", {})
                 .error()
                 .text,
             "x.yaml:5:10: in live runs the only possible fault is kill_agents"));
}

TEST_CASE("results are not continued with other accounts or another way to report outages") {
  const auto identity = [](const std::string& faults, const std::string& strategies) {
    const auto experiment = read(faults, strategies);
    REQUIRE(experiment.has_value());
    return identity_of(*experiment);
  };
  const std::string plain = "[{auction: sequential}]";
  const Value before = identity("[{accounts: {calls: 5}}]", plain);
  CHECK(differing_parts(before, identity("[{accounts: {calls: 6}}]", plain)) == "faults");
  CHECK(differing_parts(before, identity("[none]", plain)) == "faults");
  CHECK(differing_parts(before, identity("[{accounts: {calls: 5, outages: [{class: crash}]}}]", plain)) ==
        "faults");
  CHECK(differing_parts(before, identity("[{accounts: {calls: 5}}]",
                                         "[{auction: sequential, outages: failures}]")) == "strategies");
  CHECK(differing_parts(before, identity("[{accounts: {calls: 5}}]",
                                         "[{auction: sequential, attempts: 4}]")) == "strategies");
  CHECK(differing_parts(before, identity("[{accounts: {calls: 5}}]", plain)).empty());
}

TEST_CASE("every strategy does all work over accounts with outages, and no attempt is used up") {
  std::string strategies;
  for (const std::string& name : strategy_names()) strategies += (strategies.empty() ? "[" : ", ") + name;
  const auto experiment = read("[" + overloads + ", {accounts: {count: 2, calls: 12}}]", strategies + "]");
  REQUIRE(experiment.has_value());
  for (const Cell& cell : cells_of(*experiment)) {
    if (cell.seed > 1) continue;
    INFO(name_of(cell) << " " << experiment->strategies[cell.strategy].name);
    const Measured run = measured(*experiment, cell);
    CHECK(value(run, "done") == 100);
    CHECK(value(run, "used_up") == 0);
    // One agent alone does not use up what its account allows.
    if (experiment->strategies[cell.strategy].name != "single" || cell.faults == 0)
      CHECK(value(run, "calls_refused") > 0);
    CHECK(value(run, "bound_ratio") > 0.9999);
    CHECK(value(run, "billed") >= 10);  // half a unit for each attempt, and ten seconds of work on average
  }
}

TEST_CASE("plain retries use up attempts, lose tasks, and cost more") {
  const auto experiment = read("[" + overloads + "]", resting_and_retries);
  REQUIRE(experiment.has_value());
  double rested = 0, retried = 0;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const Measured resting = measured(*experiment, {0, 0, 0, 0, seed});
    const Measured retries = measured(*experiment, {0, 0, 0, 1, seed});
    const Measured many = measured(*experiment, {0, 0, 0, 2, seed});
    CHECK(value(resting, "done") == 100);
    CHECK(value(resting, "used_up") == 0);
    CHECK(value(retries, "used_up") > 0);
    CHECK(value(retries, "done") < 100);
    CHECK(value(many, "done") == 100);
    CHECK(value(many, "used_up") > value(retries, "used_up"));
    rested += value(resting, "calls_refused");
    retried += value(many, "calls_refused");
  }
  CHECK(retried > rested);
}

TEST_CASE("a budget of the board bounds what is billed, up to the attempts under way") {
  const auto experiment = read("[{accounts: {board_budget: 0.5}}, {accounts: {board_budget: 1.1}}]");
  REQUIRE(experiment.has_value());
  const Measured half = measured(*experiment, {0, 0, 0, 0, 1});
  CHECK(value(half, "done") > 35);
  CHECK(value(half, "done") < 60);
  CHECK(value(measured(*experiment, {0, 0, 1, 0, 1}), "done") == 100);
}

TEST_CASE("the report has a table of what outages cost, with runs that did not finish") {
  const auto experiment = read("[" + overloads + "]", resting_and_retries);
  REQUIRE(experiment.has_value());
  Results results{names_of(*experiment), "", {}};
  for (std::uint64_t seed = 1; seed <= 2; ++seed)
    for (std::size_t s = 0; s < 3; ++s)
      results.runs.push_back({{0, 0, 0, s, seed}, measured(*experiment, {0, 0, 0, s, seed})});
  const std::vector<AnswerTable> tables = answer_tables(results);
  const auto table = std::ranges::find(tables, "Accounts", &AnswerTable::title);
  REQUIRE(table != tables.end());
  REQUIRE(table->rows.size() == 3);
  CHECK(table->rows[0][1] == "resting");
  CHECK(table->rows[0][2] == "2 of 2");
  CHECK(table->rows[0][3].starts_with("100 "));
  CHECK(table->rows[0][4].starts_with("0 "));
  CHECK(table->rows[1][2] == "0 of 2");
  CHECK_FALSE(table->rows[1][3].starts_with("100"));
}
