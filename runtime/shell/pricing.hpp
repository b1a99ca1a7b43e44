// Prices of bidboard.yaml for agents that are described elsewhere, and warnings of agents that budgets of
// money do not bound.
#pragma once

#include <string>
#include <vector>

#include "runtime/home/board_directory.hpp"
#include "runtime/jobs/settings.hpp"

namespace bidboard {

/// The agents of bidboard.yaml.
void warn_of_unpriced(const Settings& settings);

/// Gives these agents the prices that bidboard.yaml has for their models, and warns of those that remain
/// without. Errors: as load_settings(), if there is an agent that this matters to.
Result<void> use_board_prices(const BoardDirectory& board, std::vector<PlannedAgent>& agents,
                              bool tasks_have_budgets);

}  // namespace bidboard
