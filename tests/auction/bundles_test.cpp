#include "auction/bundles.hpp"

#include "blackboard/fmt.hpp"
#include "tests/support/catch.hpp"

using namespace bidboard;

namespace {

TaskSpec of_kind(const std::string& kind) {
  TaskSpec spec;
  spec.kind = kind;
  return spec;
}

}  // namespace

TEST_CASE("an agent with a set-up offers neighbours of one kind together, each further one for less") {
  const TaskSpec paint = of_kind("paint");
  const TaskSpec build = of_kind("build");
  AgentProfile agent;
  agent.set_up = 4 * one;
  agent.price_per_second = one / 2;
  const std::vector<SingleBid> singles{{TaskId{7}, &paint, {10 * one, 5 * one, one}},
                                       {TaskId{1}, &build, {10 * one, 5 * one, one}},
                                       {TaskId{3}, &paint, {10 * one, 6 * one, one / 2}},
                                       {TaskId{5}, &paint, {3 * one, one, one}}};
  const std::vector<BundleBid> expected{{{TaskId{3}, TaskId{7}}, {16 * one, 9 * one, one / 2}},
                                        {{TaskId{3}, TaskId{5}, TaskId{7}}, {16 * one, 9 * one, one / 2}},
                                        {{TaskId{3}, TaskId{5}}, {10 * one, 6 * one, one / 2}}};
  CHECK(set_up_bundles(singles, agent) == expected);
  CHECK(share_of(expected[0]) == BidVector{8 * one, 9 * one / 2, one / 2});
  agent.set_up = 0;
  CHECK(set_up_bundles(singles, agent).empty());
}

TEST_CASE("what an agent offers together is bounded, however many tasks there are") {
  AgentProfile agent;
  agent.set_up = one;
  std::vector<TaskSpec> specs;
  for (int i = 0; i < 400; ++i) specs.push_back(of_kind(fmt::format("kind{}", i % 40)));
  std::vector<SingleBid> singles;
  for (std::size_t i = 0; i < specs.size(); ++i)
    singles.push_back({TaskId{i + 1}, &specs[i], {max_bid_seconds, max_bid_price, one}});
  const auto bundles = set_up_bundles(singles, agent);
  CHECK(bundles.size() == bundle_bids_max);
  for (const BundleBid& bundle : bundles) CHECK(std::holds_alternative<BidVector>(checked(bundle.bid)));
}

TEST_CASE("tasks of different projects share no set-up") {
  TaskSpec here = of_kind("build");
  TaskSpec there = here;
  CHECK(are_related(here, there));
  there.project = "other";
  CHECK_FALSE(are_related(here, there));
}
