// The work of an agent that uses an account (provider.hpp): each attempt makes calls, a refused one ends it,
// and its price is what the provider bills. As in a real client, what the agent tells of an outage is up to
// the client: its class and the stated time, or just that the attempt failed. For one thread.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agents/executor.hpp"
#include "runtime/sim/node_clock.hpp"
#include "runtime/sim/provider.hpp"

namespace bidboard::sim {

/// Who calls: an agent on a machine with a clock of its own.
struct Caller {
  std::string account;
  std::uint32_t agent = 0;  ///< its position in the world
  const NodeClock& clock;
  bool tells_outages = true;  ///< else an outage is a failure like any other
};

class BilledExecutor final : public Executor {
 public:
  /// REQUIRES: the account exists; all three outlive it.
  BilledExecutor(Executor& work, Provider& provider, Caller caller);

  Result<void> start(const Assignment& assignment, Now now) override;
  void stop(TaskId task, Epoch epoch, const std::string& reason, Now now) override;
  void add_poll(std::vector<PollItem>&) const override {}
  std::vector<ExecutionEvent> pump(Now now) override;
  Instant next_wakeup() const override;
  std::size_t running() const override { return work_.running() + turned_away_.size(); }
  bool answers_bids() const override { return work_.answers_bids(); }
  void ask_bid(const BidQuestion& question, Now now) override { work_.ask_bid(question, now); }

  /// Its process has died: what ran is billed, but nobody is told.
  void lose(Instant world);

 private:
  using Key = std::pair<TaskId, Epoch>;
  struct Run {
    Instant begun;
    Instant next_call;
    std::optional<CallRefused> refused;
  };
  /// The first call was refused: nothing was begun, and the client ends after a moment.
  struct TurnedAway {
    Instant due;
    CallRefused refused;
  };
  Instant world(Now now) const { return caller_.clock.when(now.mono); }
  void make_calls(Now now);
  void take_over_events(std::vector<ExecutionEvent>& events, Now now);
  void settle(ExecutionEnded& ended, Now now);
  void say_refused(ExecutionEnded& ended, const CallRefused& refused, Now now) const;

  Executor& work_;
  Provider& provider_;
  Caller caller_;
  std::map<Key, Run> runs_;
  std::map<Key, TurnedAway> turned_away_;
  std::vector<ExecutionEvent> events_;
};

}  // namespace bidboard::sim
