// One entry of `faults` in an experiment file: what goes wrong, and the accounts at providers that agents
// share.
#pragma once

#include <optional>
#include <string>

#include "blackboard/text/document.hpp"
#include "runtime/jobs/diagnostics.hpp"
#include "runtime/sim/provider.hpp"

namespace bidboard {

/// The agents use accounts in turn: agent i has account i modulo `count`. All accounts have the same terms.
struct AccountsSpec {
  std::uint32_t count = 1;
  sim::AccountSpec terms;
  /// What all accounts together, and what each, may spend, as a multiple of what their share of the work
  /// costs when every attempt succeeds at an agent of speed 1; 0: no bound.
  Micros board_budget = 0;
  Micros account_budget = 0;
};
std::string account_name(std::uint32_t number);

/// Injected faults, at the same moment for all strategies.
struct FaultsSpec {
  std::string name = "none";
  std::uint32_t kill_agents = 0;  ///< one after the other, not restarted
  bool kill_controller = false;   ///< restarted after `down`
  Micros at = one / 2;            ///< share of the lower bound of the makespan at which they begin
  Duration down = seconds(5);
  Micros loss = 0;       ///< of messages
  Duration partition{};  ///< half of the agents are cut off from the controller for this long
  std::optional<AccountsSpec> accounts;
  Place place;
};

/// Nothing after findings that leave no entry.
std::optional<FaultsSpec> read_faults(const Value& value, Diagnostics& diagnostics);
/// The keys in Markdown.
std::string faults_reference();

}  // namespace bidboard
