#include "agents/token_price.hpp"

#include "blackboard/numbers.hpp"

namespace bidboard {
namespace {

/// Three products of two 63-bit numbers fit.
__extension__ using Product = unsigned __int128;

constexpr Product tokens_per_price = 1'000'000;

Product product(std::int64_t tokens, Micros price) {
  return static_cast<Product>(tokens) * static_cast<Product>(price);
}

}  // namespace

std::int64_t total_of(const TokenUsage& usage) {
  return add_saturated(add_saturated(usage.input, usage.cached), usage.output);
}

TokenUsage operator+(const TokenUsage& a, const TokenUsage& b) {
  return {add_saturated(a.input, b.input), add_saturated(a.cached, b.cached),
          add_saturated(a.output, b.output)};
}

Micros price_of(const TokenUsage& usage, const TokenPrice& price) {
  const Product sum = product(usage.input, price.input) + product(usage.cached, price.cached) +
                      product(usage.output, price.output);
  const Product rounded_up = (sum + tokens_per_price - 1) / tokens_per_price;
  return rounded_up > static_cast<Product>(INT64_MAX) ? INT64_MAX : static_cast<Micros>(rounded_up);
}

}  // namespace bidboard
