// The decision core. step() takes what came in and says what follows; it reads no clock, touches no socket
// and writes no file. Contract: decide, commit, send. The caller makes the events durable (Board::commit) and
// only then delivers the sends; if the commit fails it discards both, and forget_batch() returns the volatile
// state to what the board says. For one thread. Three drivers run it unchanged: the live node, the embedded
// node inside the shell tool, the simulator.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "blackboard/board.hpp"
#include "blackboard/messages.hpp"
#include "blackboard/secrets.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// A connection, numbered by the driver. 0: nobody.
using PeerId = Counter<struct PeerTag>;

/// Who is at the other end of a connection, as the driver vouches for it: not what a message claims.
struct Origin {
  std::string key;       ///< the name of the key that it holds; empty: a process of this machine, of our user
  bool operates = true;  ///< may ask what operators may; else it speaks for its agents only
  bool operator==(const Origin&) const = default;
};
struct FromPeer {
  PeerId peer;
  Message message;
  std::uint64_t digest = 0;  ///< of the bytes it came in; 0: it came in none
  Origin origin = {};
};
/// A process on this machine that the controller asked to watch has ended.
struct ProcessEnded {
  std::int64_t pid = 0;
};
using Input = std::variant<FromPeer, ProcessEnded>;

struct Send {
  PeerId to;
  Message message;
};
/// A sentence for people; drivers print it.
struct Note {
  enum class Level : std::uint8_t { info, warning, error };
  Level level = Level::info;
  std::string text;
};
/// An operator asked for a compaction. The driver does it, since the core knows no store but its board, and
/// answers when it is done.
struct CompactionAsked {
  PeerId by;
  std::uint64_t request = 0;
  bool operator==(const CompactionAsked&) const = default;
};
struct Output {
  std::vector<Send> sends;  ///< to be delivered only after the board's pending events are durable
  std::vector<Note> notes;
  std::vector<std::int64_t> watch;  ///< processes on this machine whose end should come back as ProcessEnded
  bool shut_down = false;           ///< an operator asked for it
  std::vector<CompactionAsked> compact;
};

struct ControllerOptions {
  Term term;
  std::string secret_key;  ///< 32 random bytes
  std::uint64_t seed = 1;  ///< for strategies that draw lots
  std::int64_t pid = 0;
  std::string host;  ///< agents on the same host are watched
  std::string board_path;
  std::string feed;      ///< endpoint told to clients
  std::string tcp_feed;  ///< the same, over TCP
  std::size_t live_agents_max = 1'000;
  /// false: the embedded driver, one request and out: agents' leases are left alone and nothing is
  /// dispatched.
  bool serving = true;
};

struct Core;

class Controller {
 public:
  /// REQUIRES: `board` outlives the controller.
  Controller(Board& board, ControllerOptions options);
  ~Controller();

  /// Call once, first: begins the term and gives every live award one grace term.
  Output start(Now now);
  Output step(const Input& input, Now now);
  /// Call after each drained batch of inputs: awards what can be awarded.
  Output settle(Now now);
  /// Acts on deadlines that are due. Drain inputs first: a heartbeat that waits in a queue must count.
  Output tick(Now now);
  /// When tick or settle has something to do next.
  Instant next_wakeup(Now now) const;
  /// After a failed commit: forgets what the lost batch decided.
  void forget_batch(Now now);

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace bidboard
