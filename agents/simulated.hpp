// Does every task by waiting for as long as its agent's speed and skill require, with declared noise and
// failures. No process, no clock: the outcome is a function of the seed, the task and the epoch alone,
// independent of anything that runs beside it; with `set_up` it also depends on the task that began here just
// before.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/executor.hpp"

namespace bidboard {

struct SimulatedOptions {
  AgentProfile agent;  ///< speed, skills, price_per_second and set_up count
  /// Seconds of time passed per simulated second. Delivered seconds are reported in simulated ones, the unit
  /// of bids.
  Micros scale = one;
  Micros noise = 0;         ///< 0.2: each duration is uniformly within 20 % of what the standard bid says
  Micros failure_rate = 0;  ///< share of attempts that fail at a random moment
  std::uint64_t seed = 1;
};

class SimulatedExecutor final : public Executor {
 public:
  /// REQUIRES scale ≥ 0, noise and failure_rate in [0, 1].
  explicit SimulatedExecutor(SimulatedOptions options);

  Result<void> start(const Assignment& assignment, Now now) override;
  void stop(TaskId task, Epoch epoch, const std::string& reason, Now now) override;
  void add_poll(std::vector<PollItem>&) const override {}
  std::vector<ExecutionEvent> pump(Now now) override;
  Instant next_wakeup() const override;
  std::size_t running() const override { return runs_.size(); }
  /// Other noise and failure_rate for attempts that begin from now on.
  void set_chances(Micros noise, Micros failure_rate);

 private:
  struct Run {
    Instant due;
    ExecutionEnded outcome;
  };

  SimulatedOptions options_;
  std::map<std::pair<TaskId, Epoch>, Run> runs_;
  std::vector<ExecutionEvent> events_;
  std::optional<TaskSpec> last_;  ///< the last task begun here; a related one needs no set-up of its own
};

}  // namespace bidboard
