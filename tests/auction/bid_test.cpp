#include "auction/bid.hpp"

#include "auction/scoring.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

TaskSpec task() {
  TaskSpec spec;
  spec.title = "port the parser";
  spec.kind = "build";
  spec.body = "0123456789";
  spec.size = 12 * one;
  spec.priority = 3;
  spec.needs = {{TaskId{1}, false}, {TaskId{2}, false}};
  spec.skills = {{"cpp", 0}, {"lua", 0}};
  return spec;
}

AgentProfile agent() {
  AgentProfile profile;
  profile.speed = 2 * one;
  profile.skills = {{"cpp", one / 2}, {"lua", 3 * one / 4}, {"rust", one / 10}};
  profile.price_per_second = one / 10;
  return profile;
}

Result<BidVector> by_formula(std::string formula) {
  AgentProfile profile = agent();
  profile.cost_formula = std::move(formula);
  return formula_bid(task(), 2, profile);
}

RefusalReason reason(const BidAnswer& answer) { return std::get<Refusal>(answer).reason; }

}  // namespace

TEST_CASE("a standard bid is size over speed and lowest needed skill level") {
  CHECK(standard_bid(task(), agent()) == BidVector{12 * one, 1'200'000, one});
  TaskSpec plain;
  plain.size = 3 * one;
  CHECK(standard_bid(plain, agent()).seconds == 1'500'000);
}

TEST_CASE("a standard bid stays within bounds for any profile") {
  TaskSpec spec = task();
  AgentProfile profile = agent();
  profile.speed = 0;
  profile.skills = {{"cpp", 0}};
  profile.price_per_second = max_bid_price;
  spec.size = 4'000'000'000'000'000'000;
  CHECK(standard_bid(spec, profile) == BidVector{max_bid_seconds, max_bid_price, one});
  profile.speed = -one;
  spec.size = -one;
  CHECK(standard_bid(spec, profile) == BidVector{0, 0, one});
}

TEST_CASE("a formula bid sees the task's fields") {
  CHECK(by_formula("size / speed / level") == BidVector{12 * one, 1'200'000, one});
  CHECK(by_formula("priority * 1000 + attempts * 100 + needs * 10 + body_bytes")->seconds == 3'230 * one);
  CHECK(by_formula("kind == 'build' and title == 'port the parser' and 7 or 1")->seconds == 7 * one);
}

TEST_CASE("a formula bid that fails or is out of bounds is invalid, with the reason") {
  const auto text = [](std::string formula) {
    const auto bid = by_formula(std::move(formula));
    REQUIRE_FALSE(bid.has_value());
    CHECK(bid.error().code == Errc::invalid);
    return bid.error().text;
  };
  CHECK(text("sise") == "cost formula: line 1: unknown variable 'sise'");
  CHECK(text("1 +").starts_with("cost formula: line "));
  CHECK(text("0 - size") == "cost formula: promises -12 seconds, which is negative");
  CHECK(text("1e12").find("at most 31622400 count") != std::string::npos);
  CHECK(text("") != "");
}

TEST_CASE("a bid out of bounds is refused as invalid") {
  const BidVector good{one, one, one};
  CHECK(std::get<BidVector>(checked(good)) == good);
  CHECK(std::get<BidVector>(checked({0, 0, 1})) == BidVector{0, 0, 1});
  CHECK(std::get<BidVector>(checked({max_bid_seconds, max_bid_price, one})).price == max_bid_price);
  for (const BidVector& bad :
       {BidVector{-1, 0, one}, BidVector{0, -1, one}, BidVector{0, 0, 0}, BidVector{0, 0, one + 1},
        BidVector{max_bid_seconds + 1, 0, one}, BidVector{0, max_bid_price + 1, one}})
    CHECK(reason(checked(bad)) == RefusalReason::invalid);
}

TEST_CASE("a score weighs expected seconds and price, and never exceeds its bound") {
  CHECK(work_score({6 * one, 2 * one, one}, {one, one}) == 8 * one);
  CHECK(work_score({6 * one, 2 * one, one / 2}, {one, 3 * one}) == 18 * one);
  CHECK(work_score({6 * one, 2 * one, one}, {0, 0}) == 0);
  CHECK(wait_score(3 * one, {2 * one, one}) == 6 * one);
  CHECK(work_score({max_bid_seconds, max_bid_price, 1}, {max_score, max_score}) == max_score);
  CHECK(wait_score(4'000'000'000'000'000'000, {max_score, one}) == max_score);
}
