#include "auction/bid.hpp"

#include <algorithm>
#include <array>

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/text/expression.hpp"

namespace bidboard {
namespace {

BidVector promise(Micros seconds, const AgentProfile& agent) {
  return {seconds, std::min(mul_micros(seconds, std::max<Micros>(agent.price_per_second, 0)), max_bid_price)};
}

/// A plain number as a formula sees it: 3 means 3, not 3 millionths.
Micros whole(std::int64_t n) {
  constexpr std::int64_t limit = 1'000'000'000'000;
  return std::clamp(n, -limit, limit) * one;
}

std::string out_of_bounds(const BidVector& bid) {
  if (bid.seconds < 0)
    return fmt::format("promises {} seconds, which is negative", format_micros(bid.seconds));
  if (bid.seconds > max_bid_seconds)
    return fmt::format("promises {} seconds, at most {} count", format_micros(bid.seconds),
                       format_micros(max_bid_seconds));
  if (bid.price < 0) return fmt::format("asks {}, a price is never negative", format_micros(bid.price));
  if (bid.price > max_bid_price)
    return fmt::format("asks {}, at most {} counts", format_micros(bid.price), format_micros(max_bid_price));
  if (bid.confidence <= 0 || bid.confidence > one)
    return fmt::format("its confidence is {}, not above 0 and at most 1", format_micros(bid.confidence));
  return {};
}

}  // namespace

BidVector standard_bid(const TaskSpec& task, const AgentProfile& agent) {
  const Micros speed = std::max<Micros>(agent.speed, 1);
  const Micros level = std::max<Micros>(skill_level(task, agent), 1);
  const Micros seconds = div_micros(div_micros(std::max<Micros>(task.size, 0), speed), level);
  return promise(std::min(seconds, max_bid_seconds), agent);
}

Result<BidVector> formula_bid(const TaskSpec& task, std::uint32_t attempts_made, const AgentProfile& agent) {
  const auto formula = Expression::compile(agent.cost_formula);
  if (!formula) return fail_in("cost formula", formula.error());
  const std::array variables{
      Variable{"size", task.size},
      Variable{"priority", whole(task.priority)},
      Variable{"attempts", whole(attempts_made)},
      Variable{"needs", whole(static_cast<std::int64_t>(task.needs.size()))},
      Variable{"body_bytes", whole(static_cast<std::int64_t>(task.body.size()))},
      Variable{"level", skill_level(task, agent)},
      Variable{"speed", agent.speed},
      Variable{"kind", task.kind},
      Variable{"title", task.title},
  };
  const auto seconds = formula->number(variables);
  if (!seconds) return fail_in("cost formula", seconds.error());
  const BidVector bid = promise(*seconds, agent);
  if (const std::string flaw = out_of_bounds(bid); !flaw.empty())
    return fail(Errc::invalid, "cost formula: " + flaw);
  return bid;
}

Result<BidVector> own_bid(const TaskSpec& task, std::uint32_t attempts_made, const AgentProfile& agent) {
  return agent.bids == BidStyle::formula ? formula_bid(task, attempts_made, agent)
                                         : standard_bid(task, agent);
}

BidAnswer checked(BidVector bid) {
  if (std::string flaw = out_of_bounds(bid); !flaw.empty())
    return Refusal{RefusalReason::invalid, std::move(flaw)};
  return bid;
}

}  // namespace bidboard
