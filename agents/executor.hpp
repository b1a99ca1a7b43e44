// How an agent gets a task done. The agent's loop owns an executor, gives it awarded tasks, polls its
// descriptors, and reads what happened as events. Executors never block and are for one thread.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "auction/bid.hpp"
#include "auction/bundles.hpp"
#include "blackboard/ids.hpp"
#include "blackboard/records.hpp"
#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// One attempt at a task, as awarded.
struct Assignment {
  TaskId task;
  Epoch epoch;
  std::string token;  ///< opaque; passed on as BIDBOARD_TOKEN
  TaskSpec spec;
  std::uint32_t attempt = 1;
  std::vector<AttemptFailure> failures;  ///< of the earlier attempts
  std::string needs_json = "{}";         ///< results of the needed tasks: an object, keyed by task name or id
  std::string idempotency_key;           ///< the same for every attempt of a task
  WallTime deadline;                     ///< of this attempt; 0: spec.timeout from its start
  std::vector<SignedComment> comments;   ///< on the task, oldest first
  Micros budget_left = 0;                ///< what the attempt may cost; 0: no bound
  std::vector<NeedWork> works;           ///< commits of the needed tasks, for a worktree
};

/// Another task on offer that a bid might include together with the one asked about.
struct RelatedTask {
  TaskId task;
  TaskSpec spec;
};

/// A task for which a live bid is wanted.
struct BidQuestion {
  std::uint64_t request = 0;  ///< the caller's own number, repeated in the answer
  TaskId task;
  TaskSpec spec;
  std::uint32_t attempt = 1;  ///< the number that its next attempt would have
  std::vector<AttemptFailure> failures;
  std::vector<RelatedTask> related;
  Instant deadline = never;  ///< a later answer is useless
};

enum class Ending : std::uint8_t {
  done,         ///< there is a result
  failed,       ///< it ended without one, in a known way
  stopped,      ///< stop() ended it
  unknown,      ///< unknown outcome: cut off by a crash, a signal or its time limit
  unavailable,  ///< it could not work at all, and the task is not at fault: `outage`
};

struct ExecutionStarted {
  TaskId task;
  Epoch epoch;
  std::int64_t pid = 0;  ///< of the task's process group; 0: it has no process of its own
};
/// How much of the task is done, when only what it does is known: what was told before still stands.
constexpr Micros fraction_untold = -1;
struct ExecutionProgress {
  TaskId task;
  Epoch epoch;
  Micros fraction = fraction_untold;  ///< 0 to 1
  std::string text;
};
/// A sign of life: the task wrote this many bytes since the last event.
struct ExecutionOutput {
  TaskId task;
  Epoch epoch;
  std::uint64_t bytes = 0;
};
/// Exactly one for each assignment whose start() succeeded; by then no process of the task runs any more.
struct ExecutionEnded {
  TaskId task;
  Epoch epoch;
  Ending ending = Ending::unknown;
  std::string result;  ///< when done
  std::string reason;  ///< for people; when done: empty or a remark
  Micros seconds = 0;  ///< of work: from its start to its end
  Micros price = 0;    ///< as delivered; 0: not reported
  std::int64_t tokens = 0;
  Outage outage = Outage::none;  ///< unavailable: of what kind
  WallTime until;                ///< unavailable: how long, as the provider says; 0: it does not say
  SavedWork work;                ///< what it left in its worktree, if it had one
};
/// Exactly one for each ask_bid().
struct BidAnswered {
  std::uint64_t request = 0;
  TaskId task;
  BidAnswer answer;
  std::vector<BundleBid> bundles = {};  ///< further offers: the task together with related ones
};

using ExecutionEvent =
    std::variant<ExecutionStarted, ExecutionProgress, ExecutionOutput, ExecutionEnded, BidAnswered>;

struct PollItem {
  int fd = -1;
  bool read = false;
  bool write = false;
};

class Executor {
 public:
  virtual ~Executor() = default;

  /// Errors: refused or invalid (it does not do such a task), conflict (that task already runs here),
  /// unavailable (no process could be started). After an error nothing has begun and no event follows.
  virtual Result<void> start(const Assignment& assignment, Now now) = 0;
  /// Ends the task early. An ExecutionEnded follows: `stopped`, or how the task ended if it was faster. For
  /// an unknown task it does nothing.
  virtual void stop(TaskId task, Epoch epoch, const std::string& reason, Now now) = 0;
  /// Adds the descriptors to wait for.
  virtual void add_poll(std::vector<PollItem>& items) const = 0;
  /// Does the pending work and returns what happened, in order. Call when a polled descriptor is ready and at
  /// next_wakeup(); harmless at other times.
  virtual std::vector<ExecutionEvent> pump(Now now) = 0;
  virtual Instant next_wakeup() const = 0;
  /// How many tasks are not over.
  virtual std::size_t running() const = 0;

  /// Whether ask_bid may be called; if not, the agent's bids are made elsewhere.
  virtual bool answers_bids() const { return false; }
  /// REQUIRES answers_bids(). A BidAnswered follows.
  virtual void ask_bid(const BidQuestion&, Now) {}
};

}  // namespace bidboard
