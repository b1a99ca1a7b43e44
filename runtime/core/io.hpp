// The controller's inputs and outputs: the types that it shares with the drivers and the network. No state,
// no I/O.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "blackboard/messages.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// Limits of one batch; a driver drains at most this much before it calls process().
constexpr std::size_t batch_inputs_max = 1024;
constexpr std::size_t batch_bytes_max = 1 << 20;
constexpr Duration batch_time_max = milliseconds(5);

/// A connection, numbered by the driver. 0: none.
using PeerId = Counter<struct PeerTag>;

/// Who is at the other end of a connection, as verified by the driver, not as claimed in a message.
struct Origin {
  std::string key;       ///< name of its access key; empty: a process of our user on this machine
  bool operates = true;  ///< may do what operators may; else it acts for its agents only
  bool operator==(const Origin&) const = default;
};
struct FromPeer {
  PeerId peer;
  Message message;
  std::uint64_t digest = 0;  ///< of the encoded request; 0: it was not encoded
  Origin origin = {};
};
/// A process on this machine that the controller asked to have watched has ended.
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
/// An operator asked for a compaction. The driver runs it, since the core only knows its board and not the
/// store, and replies when it is done.
struct CompactionAsked {
  PeerId by;
  std::uint64_t request = 0;
  bool operator==(const CompactionAsked&) const = default;
};
struct Output {
  std::vector<Send> sends;  ///< to be delivered only after the board's pending events are durable
  std::vector<Note> notes;
  std::vector<std::int64_t> watch;  ///< processes on this machine to watch; ProcessEnded reports their end
  bool shut_down = false;           ///< an operator asked for it
  std::vector<CompactionAsked> compact;
};

}  // namespace bidboard
