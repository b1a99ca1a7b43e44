// The terms of the Contract Net (Smith, IEEE Trans. Computers C-29, 1980): a bidder's answers to an
// announcement.
#pragma once

#include <string>
#include <variant>

#include "blackboard/records.hpp"

namespace bidboard {

/// What an agent promises for one task. Micro-units; seconds are of work, not counting the wait for a free
/// slot.
struct BidVector {
  Micros seconds = 0;
  Micros price = 0;
  Micros confidence = one;  ///< 0 < confidence ≤ 1: how sure it is to deliver a result
  bool operator==(const BidVector&) const = default;
  BB_FIELDS(seconds, price, confidence)
};

struct Refusal {
  RefusalReason reason = RefusalReason::declined;
  std::string detail;  ///< for people: "needs rust, has cpp and search"
  bool operator==(const Refusal&) const = default;
  BB_FIELDS(reason, detail)
};

using BidAnswer = std::variant<BidVector, Refusal>;

/// Upper bounds; what exceeds them is refused as invalid.
constexpr Micros max_bid_seconds = 366LL * 86'400 * one;
constexpr Micros max_bid_price = 1'000'000'000LL * one;

/// The standard bid: size / (speed × lowest level among the needed skills), price = seconds ×
/// price_per_second. A needed skill that the agent lacks counts as level 1 (eligibility has refused it
/// before). Always within the bounds.
BidVector standard_bid(const TaskSpec& task, const AgentProfile& agent);
/// Evaluates the agent's cost formula (expression.hpp): the seconds it promises; price = seconds ×
/// price_per_second. Variables: size, priority, attempts (begun so far), needs (how many), body_bytes, level
/// (lowest level among the needed skills), speed; kind and title as text. Errors: invalid (the formula's own
/// fault, or a bid out of bounds).
Result<BidVector> formula_bid(const TaskSpec& task, std::uint32_t attempts_made, const AgentProfile& agent);
/// The bid that needs no question to the agent: its formula's, or the standard one. Errors: of formula_bid().
Result<BidVector> own_bid(const TaskSpec& task, std::uint32_t attempts_made, const AgentProfile& agent);
/// The bid itself, or RefusalReason::invalid if it is out of bounds: negative, confidence not in (0, 1],
/// above the maxima.
BidAnswer checked(BidVector bid);

}  // namespace bidboard
