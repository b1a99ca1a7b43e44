// How a simulated agent works and bids: SimulatedExecutor's durations and failures, plus the faults of real
// agents: tasks that hang, bids that are wrong, late or missing. What happens is a function of the seed, the
// agent, the task and the attempt alone. For one thread.
#pragma once

#include <functional>
#include <map>

#include "agents/simulated.hpp"
#include "blackboard/random.hpp"

namespace bidboard::sim {

/// Probabilities and shares in millionths (micro-units).
struct Behaviour {
  Micros true_speed = 0;  ///< how fast it works; 0: as its profile says
  Micros noise = 0;       ///< each duration is uniformly within this share of what it should be
  std::int64_t failure_rate = 0;
  std::int64_t hang_rate = 0;  ///< attempts that never end by themselves
  bool live_bids = false;      ///< it is asked for every task
  Micros bid_error = 0;        ///< live: a bid is uniformly within this share of the truth
  Micros bid_factor = one;     ///< live: the bid is multiplied by this; below 1 it promises too much
  std::int64_t decline_rate = 0;
  std::int64_t silence_rate = 0;  ///< bid questions that it answers too late
  Duration bid_delay_max;         ///< an answer takes up to this
  bool tells_outages = true;  ///< of its provider; else it fails, as a client that does not tell them apart
};

/// The same agent without faults.
Behaviour without_faults(const Behaviour& behaviour);

/// The seconds that a task takes at an agent, instead of the value from size, speed, skill and noise.
using TrueSeconds = std::function<Micros(const TaskSpec& task, std::uint32_t agent)>;

/// The delivered result: names its attempt.
std::string result_of(TaskId task, Epoch epoch);

class SimExecutor final : public Executor {
 public:
  /// `agent`: its position, for `true_seconds` (which may be empty).
  SimExecutor(const AgentProfile& profile, const Behaviour& behaviour, std::uint64_t seed,
              std::uint32_t agent = 0, const TrueSeconds* true_seconds = nullptr);

  Result<void> start(const Assignment& assignment, Now now) override;
  void stop(TaskId task, Epoch epoch, const std::string& reason, Now now) override;
  void add_poll(std::vector<PollItem>&) const override {}
  std::vector<ExecutionEvent> pump(Now now) override;
  Instant next_wakeup() const override;
  std::size_t running() const override { return work_.running() + hanging_.size(); }
  bool answers_bids() const override { return behaviour_.live_bids; }
  void ask_bid(const BidQuestion& question, Now now) override;

  /// From now on it works without faults: no further task hangs or fails, and no bid is wrong. Tasks that
  /// hang already continue to hang.
  void reform();

 private:
  struct Answer {
    Instant due;
    BidAnswered answer;
  };
  Random draws(TaskId task, std::uint64_t number, std::uint64_t purpose) const;

  AgentProfile truth_;  ///< with its true speed
  Behaviour behaviour_;
  std::uint64_t seed_;
  std::uint32_t agent_;
  const TrueSeconds* true_seconds_;
  SimulatedExecutor work_;
  std::map<std::pair<TaskId, Epoch>, Instant> hanging_;  ///< since when
  std::vector<ExecutionEvent> events_;
  std::vector<Answer> answers_;
};

}  // namespace bidboard::sim
