// The board's folder (.bidboard): where it is, what it contains, and who may write. Edge code.
//
//   data.mdb, lock.mdb   the store
//   writer.lock          who writes
//   secret.key           from which capabilities are derived
//   suspects             inputs that a controller crashed on
//   output/              what tasks printed, a file per attempt
//   run/                 lock files of running tasks, and what they need
//   keys/                who may connect over TCP (key_directory.hpp)
#pragma once

#include <optional>
#include <string>

#include "blackboard/ids.hpp"
#include "blackboard/result.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

constexpr const char* board_folder = ".bidboard";
/// Names a controller on another machine: the board is not on this one.
constexpr const char* connect_variable = "BIDBOARD_CONNECT";

struct BoardDirectory {
  std::string path;  ///< absolute, of the .bidboard folder

  std::string store() const { return path + "/data.mdb"; }
  std::string output() const { return path + "/output"; }
  std::string run() const { return path + "/run"; }
  std::string writer_lock() const { return path + "/writer.lock"; }
  std::string suspects() const { return path + "/suspects"; }
  std::string keys() const { return path + "/keys"; }
  std::string secret_file() const { return path + "/secret.key"; }
  /// The folder that holds the board: where its agents work.
  std::string home() const { return path.substr(0, path.rfind('/')); }
};

/// Whether there is a store in it. An empty store was left by an `init` that was killed, and does not count.
bool is_board(const BoardDirectory& board);
/// Finds the board: `chosen` (-C) or BIDBOARD_DIR (a folder that is or holds a .bidboard), else upward from
/// the current folder. Errors: not_found, with how to create one; unavailable, if BIDBOARD_CONNECT says that
/// the board is elsewhere and no other was chosen; refused, if others can change it (trust.hpp).
Result<BoardDirectory> find_board(const std::string& chosen);
/// Creates the folder, sub-folders (mode 0700) and key if they are missing. `home`: the folder that will hold
/// the board. Errors: storage; refused, if somebody else made the folder or put links into it.
Result<BoardDirectory> make_board_folder(const std::string& home);
/// The 32 bytes of secret.key; created if missing. Errors: storage, corrupt.
Result<std::string> secret_key(const BoardDirectory& board);

/// What tells this board from every other one, also from a copy of it and from what was at this path before:
/// of its key, and of the folder itself wherever it is moved. Errors: as for secret_key, storage.
Result<std::string> board_id(const BoardDirectory& board);

/// Who holds the writer lock, according to its file.
struct Writer {
  enum class State : std::uint8_t { embedded, starting, serving };
  State state = State::embedded;
  std::int64_t pid = 0;
  Term term;
  std::string endpoint;  ///< while serving: where requests go
  std::string feed;      ///< while serving: where events come from
  std::string tcp;       ///< the same for other machines; empty: it does not listen for them
  std::string tcp_feed;
};

/// Exclusive right to write to a board, an flock on writer.lock; released when the process ends, however it
/// ends.
class WriterLock {
 public:
  /// Waits for embedded and starting holders, up to `patience`. Errors: conflict (serving: the controller's
  /// pid and endpoint are in `serving`, if given), timed_out, storage.
  static Result<WriterLock> acquire(const BoardDirectory& board, Writer::State as, Duration patience,
                                    Writer* serving = nullptr);
  WriterLock(WriterLock&& other) noexcept;
  WriterLock& operator=(WriterLock&&) = delete;
  ~WriterLock();

  /// Publishes where the controller listens.
  Result<void> announce(const Writer& writer);

 private:
  explicit WriterLock(int fd) : fd_(fd) {}
  int fd_;
};

/// The serving controller, if there is one right now.
std::optional<Writer> serving_writer(const BoardDirectory& board);

}  // namespace bidboard
