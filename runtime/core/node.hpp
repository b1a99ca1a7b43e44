// Group commit: steps a batch of inputs through the controller, makes what was decided durable in one
// transaction, and only then gives out what is to be sent. A reply therefore means durable. No I/O of its own
// beyond the Store. For one thread.
#pragma once

#include <functional>
#include <vector>

#include "runtime/core/controller.hpp"

namespace bidboard {

struct Committed {
  std::vector<Send> sends;
  std::vector<Note> notes;
  std::vector<std::int64_t> watch;  ///< see Output::watch
  Saved saved;                      ///< what is now durable; for the feed
  bool shut_down = false;
  std::vector<CompactionAsked> compact;  ///< see Output::compact
};

class Node {
 public:
  /// REQUIRES: `store` outlives the node; options.term is not below the store's last.
  Node(Store& store, ControllerOptions options);

  /// Errors: storage, when the beginning of the term could not be made durable.
  Result<Committed> start(Now now);
  /// One batch. If its commit fails nothing of it happened: its requests are answered with error `storage`
  /// and everything else is repeated by its sender; the end of a process, which is reported only
  /// once, is kept for the next batch. If a record cannot be read, only the inputs
  /// that need it fail so (`corrupt`). If another controller has taken over the board, the driver is told to
  /// shut down.
  Committed process(const std::vector<Input>& inputs, Now now);
  /// After a failure not before a pause: what failed without any input fails again.
  Instant next_wakeup(Now now) const { return std::max(controller_.next_wakeup(now), resume_at_); }
  const Board& board() const { return board_; }

 private:
  Result<Committed> decide(const std::function<void(Committed&)>& steps);
  void forget_batch(Now now);
  void keep_deaths(const std::vector<Input>& inputs);
  Committed one_by_one(const std::vector<Input>& inputs, Now now);

  Board board_;
  Term term_;
  Controller controller_;
  std::vector<Input> deaths_;     ///< of processes, told in a batch whose commit failed
  Instant resume_at_{INT64_MIN};  ///< of a pause after a failure
};

}  // namespace bidboard
