// The deterministic core. step() takes inputs and returns what follows from them; it reads no clock, uses no
// socket and writes no file. Contract: decide, commit, send. The caller makes the events durable
// (Board::commit) and only then delivers the sends; if the commit fails, it discards both, and forget_batch()
// resets the volatile state to match the board. For one thread. Three drivers run it unchanged: the live
// node, the embedded node inside the shell tool, and the simulator.
#pragma once

#include <memory>
#include <string>

#include "blackboard/board/board.hpp"
#include "runtime/core/coordinator.hpp"
#include "runtime/core/io.hpp"

namespace bidboard {

struct ControllerOptions {
  Term term;
  std::string secret_key;                     ///< 32 random bytes
  CoordinatorFactory coordinators = nullptr;  ///< REQUIRES: not null
  std::int64_t pid = 0;
  std::string host;  ///< the processes of agents on this host are watched
  std::string board_path;
  std::string board_id = {};  ///< greeting.hpp; empty: not checked
  std::string feed;           ///< the feed's endpoint, as sent to clients
  std::string tcp_feed;       ///< the same, over TCP
  std::size_t live_agents_max = 1'000;
  /// false: the embedded driver, which handles one request and exits: agents' leases are left alone and
  /// nothing is dispatched.
  bool serving = true;
};

struct Core;

class Controller {
 public:
  /// REQUIRES: `board` outlives the controller.
  Controller(Board& board, ControllerOptions options);
  ~Controller();

  /// Call once, first: begins the term and gives every live award one lease term of grace.
  Output start(Now now);
  Output step(const Input& input, Now now);
  /// Call after each drained batch of inputs: awards what can be awarded.
  Output settle(Now now);
  /// Acts on deadlines that are due. Drain inputs first: a heartbeat that waits in a queue must count.
  Output tick(Now now);
  /// When tick() or settle() next has something to do.
  Instant next_wakeup(Now now) const;
  /// Whether attempts whose award is over may still run (winding_up.hpp).
  bool awaits_endings() const;
  /// After a failed commit: forgets what the lost batch decided.
  void forget_batch(Now now);

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace bidboard
