// What tokens cost, as people write it: `prices:` of a file by the names of models, `token_price:` of an
// agent. There is no table of our own: providers change their prices. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agents/token_price.hpp"
#include "runtime/jobs/key_table.hpp"
#include "runtime/jobs/plan.hpp"

namespace bidboard {

/// The value of `prices`: a map from model to price.
std::vector<ModelPrice> read_prices(KeyReader& reader, const Value& value);
/// A map, or a list of "input=1.25". Nothing after a finding.
std::optional<TokenPrice> read_token_price(KeyReader& reader, const Value& value);
Value to_value(const TokenPrice& price);
std::vector<KeyInfo> token_price_keys();

/// Gives agents with a model and without a price the price of their model.
void apply_prices(std::vector<PlannedAgent>& agents, const std::vector<ModelPrice>& prices);

/// A warning for each kind of agent whose attempts count for nothing in a budget of money: its client tells
/// no price, and none is known. `tasks_have_budgets`: of their own.
std::vector<std::string> unpriced(const std::vector<PlannedAgent>& agents, const Config& config,
                                  bool tasks_have_budgets = false);

}  // namespace bidboard
