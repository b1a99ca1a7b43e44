#include "auction/offline.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/problems.hpp"

using namespace bidboard;

namespace {

Result<OfflineAuction> read(std::string_view text) {
  const auto document = parse_json(text);
  REQUIRE(document.has_value());
  return read_auction(*document);
}

std::string solve(std::string_view text, std::string_view mechanism) {
  const auto auction = read(text);
  REQUIRE(auction.has_value());
  return to_json(write_outcome(*auction, mechanism, (*find_mechanism(mechanism))(auction->problem)));
}

std::string flaws(std::string_view text) {
  const auto auction = read(text);
  REQUIRE_FALSE(auction.has_value());
  CHECK(auction.error().code == Errc::invalid);
  return auction.error().text;
}

Micros amount(const Value& value) { return to_micros(value.number()); }

Value bid_for(std::int64_t agent, Micros cost) {
  Value bid;
  bid.set("agent", fmt::format("agent {}", agent));
  bid.set("cost", from_micros(cost));
  return bid;
}

Value random_document(Random& random) {
  Value tasks{Value::Array{}};
  Value agents{Value::Array{}};
  Value bids{Value::Array{}};
  const auto task_count = random.between(1, 6);
  const auto agent_count = random.between(1, 4);
  for (std::int64_t i = 0; i < task_count; ++i) tasks.push(fmt::format("task {}", i));
  for (std::int64_t j = 0; j < agent_count; ++j) {
    Value agent;
    agent.set("id", fmt::format("agent {}", j));
    agent.set("capacity", random.between(0, 12));
    agents.push(agent);
    for (std::int64_t i = 0; i < task_count; ++i) {
      if (!random.chance(800'000)) continue;
      Value bid = bid_for(j, random.between(-20, 20) * one / 8);
      bid.set("task", fmt::format("task {}", i));
      bids.push(bid);
    }
    if (task_count == 1 || random.chance(500'000)) continue;
    Value bundle = bid_for(j, random.between(-20, 40) * one / 8);
    Value together{Value::Array{}};
    together.push("task 1");
    together.push("task 0");
    bundle.set("tasks", together);
    bids.push(bundle);
  }
  Value document;
  document.set("tasks", tasks);
  document.set("agents", agents);
  document.set("bids", bids);
  return document;
}

}  // namespace

TEST_CASE("an auction from a file is cleared, and costs are printed as they were written") {
  constexpr auto text = R"({"tasks": ["paint", "build"],
    "agents": [{"id": "zoe", "capacity": 1}, {"id": "adam"}],
    "bids": [{"task": "build", "agent": "zoe", "cost": 0.1}, {"task": "build", "agent": "adam", "cost": 52},
             {"task": "paint", "agent": "adam", "cost": -7.25}, {"task": "paint", "agent": "zoe", "cost": 1000000000}]})";
  CHECK(
      solve(text, "first_price") ==
      R"({"mechanism": "first_price", "awards": [{"task": "paint", "agent": "adam", "cost": -7.25, "price": -7.25}, )"
      R"({"task": "build", "agent": "zoe", "cost": 0.1, "price": 0.1}], "unassigned": [], "total_cost": -7.15})");
  CHECK(
      solve(text, "vickrey") ==
      R"({"mechanism": "vickrey", "awards": [{"task": "paint", "agent": "adam", "cost": -7.25, "price": 1000000000}, )"
      R"({"task": "build", "agent": "zoe", "cost": 0.1, "price": 0.1}], "unassigned": [], "total_cost": -7.15})");
}

TEST_CASE("capacity is a hard limit, and unassigned tasks are named") {
  constexpr auto text =
      R"({"tasks": ["c", "b", "a"], "agents": [{"id": "x", "capacity": 2}, {"id": "y", "capacity": 0}],
    "bids": [{"task": "a", "agent": "x", "cost": 1}, {"task": "b", "agent": "x", "cost": 2},
             {"task": "c", "agent": "x", "cost": 3}, {"task": "c", "agent": "y", "cost": 0}]})";
  for (const auto mechanism : mechanism_names()) {
    const auto auction = read(text);
    const Value answer = write_outcome(*auction, mechanism, (*find_mechanism(mechanism))(auction->problem));
    INFO(to_json(answer));
    CHECK(answer.find("awards")->array().size() == 2);
    CHECK(to_json(*answer.find("unassigned")) == (answer.find("certificate") ? R"(["c"])" : R"(["a"])"));
  }
}

TEST_CASE("ties are broken by name, not by the order of the file") {
  constexpr auto one_way = R"({"tasks": ["t"], "agents": [{"id": "b"}, {"id": "a"}],
    "bids": [{"task": "t", "agent": "b", "cost": 1}, {"task": "t", "agent": "a", "cost": 1}]})";
  constexpr auto other_way = R"({"tasks": ["t"], "agents": [{"id": "a"}, {"id": "b"}],
    "bids": [{"task": "t", "agent": "a", "cost": 1}, {"task": "t", "agent": "b", "cost": 1}]})";
  for (const auto mechanism : mechanism_names()) {
    const auto winner = [&](std::string_view text) {
      const auto auction = read(text);
      return auction->agent_names.at((*find_mechanism(mechanism))(auction->problem).awards.at(0).agent.value -
                                     1);
    };
    CHECK(winner(one_way) == "a");
    CHECK(winner(other_way) == "a");
  }
}

TEST_CASE("the certificates of offline auctions can be checked from the printed answer alone") {
  Random random(5);
  for (int round = 0; round < 100; ++round) {
    const Value document = random_document(random);
    const Value& bids = *document.find("bids");
    const auto task_count = static_cast<Micros>(document.find("tasks")->array().size());
    std::map<std::string, Micros> capacity;
    for (const Value& agent : document.find("agents")->array())
      capacity[agent.find("id")->string()] = agent.find("capacity")->integer();
    const auto auction = read_auction(document);
    REQUIRE(auction.has_value());
    constexpr std::array<std::string_view, 3> proving{"optimal", "bertsekas", "combinatorial"};
    const std::string_view mechanism = proving.at(random.below(3));
    const Value answer = write_outcome(*auction, mechanism, (*find_mechanism(mechanism))(auction->problem));
    INFO(to_json(document) << to_json(answer));
    const Value& proof = *answer.find("certificate");
    const Micros penalty = amount(*proof.find("unassigned"));
    Micros sum = 0;
    for (const auto& [name, price, place] : proof.find("tasks")->object()) {
      CHECK(amount(price) <= penalty);
      sum += amount(price);
    }
    for (const auto& [name, price, place] : proof.find("agents")->object()) {
      CHECK(amount(price) <= 0);
      sum += amount(price) * capacity.at(name);
    }
    const auto price_of = [&](const Value& task) {
      return amount(*proof.find("tasks")->find(task.string()));
    };
    for (const Value& bid : bids.array()) {
      Micros prices = amount(*proof.find("agents")->find(bid.find("agent")->string()));
      if (const Value* together = bid.find("tasks")) {
        if (mechanism != "combinatorial") continue;
        for (const Value& task : together->array()) prices += price_of(task);
      } else {
        prices += price_of(*bid.find("task"));
      }
      CHECK(prices <= amount(*bid.find("cost")));
    }
    const auto missing = static_cast<Micros>(answer.find("unassigned")->array().size());
    CHECK(sum == amount(*proof.find("bound")));
    const Micros gap = amount(*proof.find("gap"));
    CHECK(sum == amount(*answer.find("total_cost")) + penalty * missing - gap);
    CHECK(gap >= 0);
    if (mechanism != "combinatorial") CHECK(gap <= (mechanism == "optimal" ? 0 : task_count));
    CHECK(answer.find("exact")->boolean());
  }
}

TEST_CASE("all errors of a file are reported at once, with place and fix") {
  CHECK(
      flaws(R"({"tasks": ["build", "build", 3, ""],
"agent": [],
"agents": [{"id": "carpenter", "capcity": 2}, "zoe", {"capacity": 1}, {"id": "carpenter", "capacity": -1}],
"bids": [{"task": "biuld", "agent": "carpenter", "cost": 1},
{"task": "build", "agent": "nobody at all", "cost": "1"},
{"task": "build", "agent": "carpenter", "cost": 1e10},
{"task": "build", "agent": "carpenter", "cost": 2},
{"task": "build", "price": 2}, 7]})") ==
      "2:1: unknown key 'agent' in the auction, did you mean 'agents'?\n"
      "1:21: task 'build' is listed twice, first on line 1: remove one\n"
      "1:30: a task is a whole number; it must be text: put it in quotes\n"
      "1:33: a task is empty; give it a name\n"
      "3:32: unknown key 'capcity' in an agent, did you mean 'capacity'?\n"
      "3:47: an agent is text; it must be a map: {\"id\": \"a1\", \"capacity\": 1}\n"
      "3:54: an agent has no 'id'\n"
      "3:103: a capacity is a whole number from 0 to 1000000000\n"
      "3:78: agent 'carpenter' is listed twice, first on line 3: remove one\n"
      "4:19: a bid names the unknown task 'biuld', did you mean 'build'?\n"
      "5:28: a bid names the unknown agent 'nobody at all'; add it to 'agents'\n"
      "5:53: a cost is text; it must be a number\n"
      "6:49: a cost is beyond ±1000000000: use a larger unit for all costs\n"
      "7:1: a second bid by 'carpenter' for 'build', the first is on line 6: remove one\n"
      "8:19: unknown key 'price' in a bid; it takes task, tasks, agent, cost\n"
      "8:1: a bid has no 'agent'\n"
      "8:1: a bid has no 'cost'\n"
      "8:32: a bid is a whole number; it must be a map: {\"task\": \"t1\", \"agent\": \"a1\", \"cost\": 52}");
}

TEST_CASE("a bid for several tasks wins all of them, and each award names it") {
  CHECK(
      solve(R"({"tasks": ["wash", "dry", "fold"], "agents": [{"id": "adam"}, {"id": "zoe", "capacity": 3}],
    "bids": [{"task": "wash", "agent": "zoe", "cost": 40}, {"task": "dry", "agent": "zoe", "cost": 40},
             {"task": "fold", "agent": "zoe", "cost": 5}, {"tasks": ["wash", "dry"], "agent": "adam", "cost": 70.5}]})",
            "combinatorial") ==
      R"({"mechanism": "combinatorial", "awards": [)"
      R"({"task": "wash", "agent": "adam", "cost": 35.25, "price": 35.25, "bundle": ["dry", "wash"]}, )"
      R"({"task": "dry", "agent": "adam", "cost": 35.25, "price": 35.25, "bundle": ["dry", "wash"]}, )"
      R"({"task": "fold", "agent": "zoe", "cost": 5, "price": 5}], "unassigned": [], "total_cost": 75.5, )"
      R"("exact": true, "certificate": {"bound": 75.5, "gap": 0, "tasks": {"wash": 35.25, "dry": 35.25, "fold": 5}, )"
      R"("agents": {"adam": 0, "zoe": 0}, "unassigned": 155.500001}})");
}

TEST_CASE("errors in a bid for several tasks are reported with place and fix") {
  CHECK(flaws(R"({"tasks": ["a", "b"], "agents": [{"id": "x"}], "bids": [
{"tasks": ["a"], "agent": "x", "cost": 1},
{"tasks": "a", "agent": "x", "cost": 1},
{"tasks": ["a", "a"], "agent": "x", "cost": 1},
{"tasks": ["a", "c"], "agent": "x", "cost": 1},
{"task": "a", "tasks": ["a", "b"], "agent": "x", "cost": 1},
{"tasks": ["a", "b"], "agent": "x", "cost": 1},
{"tasks": ["b", "a"], "agent": "x", "cost": 2}]})") ==
        "2:11: 'tasks' of a bid is a list of two or more: [\"t1\", \"t2\"]\n"
        "3:11: 'tasks' of a bid is a list of two or more: [\"t1\", \"t2\"]\n"
        "4:11: a bid names a task twice: remove one\n"
        "5:17: a bid names the unknown task 'c'; add it to 'tasks'\n"
        "6:1: a bid has 'task' or 'tasks', not both\n"
        "8:1: a second bid by 'x' for the same tasks, the first is on line 7: remove one");
}

TEST_CASE("a document that is not an auction is refused") {
  CHECK(flaws("[]").starts_with("the auction is a list; it must be a map"));
  CHECK(flaws("{}") ==
        "1:1: the auction has no 'tasks'\n1:1: the auction has no 'agents'\n1:1: the auction has no 'bids'");
  CHECK(flaws(R"({"tasks": 1, "agents": [], "bids": []})") ==
        "1:11: 'tasks' is a whole number; it must be a list");
}

TEST_CASE("a file with many errors reports the first fifty") {
  std::string text = R"({"tasks": [)";
  for (int i = 0; i < 80; ++i) text += (i > 0 ? ",1" : "1");
  const std::string told = flaws(text + R"(], "agents": [], "bids": []})");
  CHECK(std::count(told.begin(), told.end(), '\n') == 50);
  CHECK(told.ends_with("\nand 30 more"));
}

TEST_CASE("an empty auction has an empty outcome") {
  CHECK(solve(R"({"tasks": [], "agents": [], "bids": []})", "sequential") ==
        R"({"mechanism": "sequential", "awards": [], "unassigned": [], "total_cost": 0})");
}
