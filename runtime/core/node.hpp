// Group commit: steps a batch of inputs through the controller, makes its decisions durable in one
// transaction, and only then returns what must be sent. A reply therefore means durable. Does no I/O except
// through the Store. For one thread.
#pragma once

#include <functional>
#include <vector>

#include "runtime/core/controller.hpp"

namespace bidboard {

struct Committed {
  std::vector<Send> sends;
  std::vector<Note> notes;
  std::vector<std::int64_t> watch;  ///< see Output::watch
  Saved saved;                      ///< what became durable; for the feed
  bool shut_down = false;
  std::vector<CompactionAsked> compact;  ///< see Output::compact
};

class Node {
 public:
  /// REQUIRES: `store` outlives the node; options.term is not below the store's last.
  Node(Store& store, ControllerOptions options);

  /// Errors: storage, if the start of the term could not be made durable.
  Result<Committed> start(Now now);
  /// Processes one batch. If its commit fails, nothing of it happened: its requests are answered with error
  /// `storage`, and senders repeat everything else. The end of a process is reported only once, so it is kept
  /// for the next batch. If a record cannot be read, only the inputs that need it fail like this (`corrupt`).
  /// If another controller has taken over the board, the driver is asked to shut down.
  Committed process(const std::vector<Input>& inputs, Now now);
  /// After a failure, not before a pause: what failed without any input would fail again.
  Instant next_wakeup(Now now) const;
  /// As Controller::awaits_endings.
  bool awaits_endings() const { return controller_.awaits_endings(); }
  const Board& board() const { return board_; }

 private:
  Result<Committed> decide(const std::function<void(Committed&)>& steps);
  void forget_batch(Now now);
  void keep_deaths(const std::vector<Input>& inputs);
  Committed one_by_one(const std::vector<Input>& inputs, Now now);

  Board board_;
  Term term_;
  Controller controller_;
  std::vector<Input> deaths_;     ///< of processes, reported in a batch whose commit failed
  Instant resume_at_{INT64_MIN};  ///< end of a pause after a failure
};

}  // namespace bidboard
