// Who decides which agent gets a ready task. Strategies differ in nothing else: all of them end in the one
// award path of dispatch.cpp, where every rule is enforced. A strategy is a file in this folder and a line in
// strategy.cpp.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "blackboard/random.hpp"
#include "blackboard/records.hpp"

namespace bidboard {

enum class Style : std::uint8_t {
  push,      ///< the strategy itself chooses
  bids,      ///< agents bid and a mechanism clears (auction/clearing.hpp)
  pull,      ///< tasks are announced and the first valid claim wins
  delegate,  ///< tasks go down a tree of managers, which choose (runtime/coordination/delegation.hpp)
  agree,     ///< tasks are announced and agents agree among themselves who claims
             ///< (runtime/coordination/agreement.hpp)
};

struct AgentView {
  const Agent* agent = nullptr;
  std::uint32_t holding = 0;  ///< awarded and running
  std::uint32_t free_slots = 0;
  /// Only for strategies that look ahead: when each slot is expected to be free, in micro-seconds from now,
  /// sorted (0: it is free, a busy slot has at least 1).
  std::vector<Micros> slot_free_in;
};
/// A task that waits, and the agents (as positions in Situation::agents) that may take it.
struct TaskView {
  const Task* task = nullptr;
  std::vector<std::size_t> eligible;  ///< ascending
  std::vector<std::size_t> failed;    ///< those that failed it before, and are passed over for that
};
struct Situation {
  std::vector<TaskView> tasks;    ///< in the order of the ready index
  std::vector<AgentView> agents;  ///< connected ones, by id; see Strategy::sees_busy
  bool sampled = false;           ///< by Config::invite_max: who is not eligible for a task was not asked
};
struct Choice {
  std::size_t task = 0;   ///< position in Situation::tasks
  std::size_t agent = 0;  ///< position in Situation::agents
  std::string why;        ///< one sentence, for `explain`
  /// 0: award it now. Else the agent is busy for so many micro-seconds yet and the task is held back for it:
  /// decided again at the next event.
  Micros start_in = 0;
};

class Strategy {
 public:
  virtual ~Strategy() = default;
  virtual std::string_view name() const = 0;
  virtual Style style() const { return Style::push; }
  /// Ready tasks of equal priority come in the order of their bottom level (else in the order they were
  /// posted).
  virtual bool orders_by_bottom_level() const { return true; }
  /// Whether agents without a free slot are of interest too. Leaving them out is cheaper.
  virtual bool sees_busy() const { return true; }
  /// Wants AgentView::slot_free_in.
  virtual bool looks_ahead() const { return false; }
  /// For push: at most one choice per task and never more per agent with start_in 0 than it has
  /// free slots.
  virtual std::vector<Choice> choose(const Situation&) { return {}; }
};

/// Errors: invalid, naming the known ones. `seed`: for strategies that draw lots.
Result<std::unique_ptr<Strategy>> make_strategy(std::string_view name, std::uint64_t seed);
const std::vector<std::string>& strategy_names();

std::unique_ptr<Strategy> make_auction();
std::unique_ptr<Strategy> make_blackboard();
std::unique_ptr<Strategy> make_central();
std::unique_ptr<Strategy> make_fifo();
std::unique_ptr<Strategy> make_hierarchy();
std::unique_ptr<Strategy> make_list();
std::unique_ptr<Strategy> make_peer();
std::unique_ptr<Strategy> make_random(std::uint64_t seed);
std::unique_ptr<Strategy> make_single();

}  // namespace bidboard
