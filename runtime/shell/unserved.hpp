// Tasks that no agent can have: they would wait for ever without a word.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "auction/eligibility.hpp"
#include "blackboard/records.hpp"
#include "runtime/shell/board_view.hpp"

namespace bidboard {

/// What the board knows of the agents' prices without asking them.
class KnownPrices {
 public:
  /// Errors: as Snapshot::scan; corrupt.
  static Result<KnownPrices> of(const BoardView& board);
  /// Why the agent gets no such task, although it could do it: its cost formula refuses, or it is too dear,
  /// as the board's strategy judges prices. Nothing: it may get it.
  std::optional<Refusal> against(const TaskSpec& spec, std::uint32_t attempts_made, const Agent& agent) const;

 private:
  bool bids_decide_ = false;                    ///< the strategy awards by the prices that agents ask
  std::map<std::string, Calibration> records_;  ///< by which it corrects them
};

/// Why none of the agents that are connected can have such a task: "scout1 needs cpp, has search", or "no
/// agent is connected". Nothing: one can, though it may be busy.
std::optional<std::string> why_unserved(const TaskSpec& spec, std::uint32_t attempts_made,
                                        const std::vector<Agent>& agents, const KnownPrices& prices);

}  // namespace bidboard
