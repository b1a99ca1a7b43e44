// What tokens cost, for clients that tell how many they used and not what they cost. Pure.
#pragma once

#include <cstdint>

#include "blackboard/time.hpp"

namespace bidboard {

/// Tokens of an attempt, each in one of the three. Never negative.
struct TokenUsage {
  std::int64_t input = 0;   ///< read, without those that were cached
  std::int64_t cached = 0;  ///< read from the provider's cache
  std::int64_t output = 0;  ///< written, those of its reasoning among them
  bool operator==(const TokenUsage&) const = default;
};

/// Money for a million tokens of each kind.
struct TokenPrice {
  Micros input = 0;
  Micros cached = 0;
  Micros output = 0;
  bool operator==(const TokenPrice&) const = default;
};

/// All kinds together; at most what the number can hold.
std::int64_t total_of(const TokenUsage& usage);
/// The sum, kind by kind.
TokenUsage operator+(const TokenUsage& a, const TokenUsage& b);
/// Exact, rounded up to a millionth, at most what the number can hold. REQUIRES: nothing is negative.
Micros price_of(const TokenUsage& usage, const TokenPrice& price);

}  // namespace bidboard
