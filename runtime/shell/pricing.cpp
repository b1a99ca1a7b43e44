#include "runtime/shell/pricing.hpp"

#include <algorithm>

#include "runtime/jobs/prices.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/notes.hpp"

namespace bidboard {
namespace {

void print_warnings(const std::vector<PlannedAgent>& agents, const Config& config, bool tasks_have_budgets) {
  for (std::string& text : unpriced(agents, config, tasks_have_budgets))
    print_note({Note::Level::warning, std::move(text)});
}

}  // namespace

void warn_of_unpriced(const Settings& settings) { print_warnings(settings.agents, settings.config, false); }

Result<void> use_board_prices(const BoardDirectory& board, std::vector<PlannedAgent>& agents,
                              bool tasks_have_budgets) {
  const bool matters = std::ranges::any_of(agents, [](const PlannedAgent& agent) {
    return !agent.token_price && (!agent.preset.empty() || !agent.tokens_field.empty());
  });
  if (!matters) return {};
  const Result<Settings> settings = load_settings(board);
  if (!settings) return fail(settings.error());
  apply_prices(agents, settings->prices);
  print_warnings(agents, settings->config, tasks_have_budgets);
  return {};
}

}  // namespace bidboard
