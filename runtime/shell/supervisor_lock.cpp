#include "runtime/shell/supervisor_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::string_view rehearsal_word = " rehearsal";

std::string supervisor_file(const BoardDirectory& board) { return board.path + "/supervisor.lock"; }

/// Of an open file description, so that looking neither takes it nor gives it up.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// What the running `up` wrote into its lock; empty: none runs.
std::string supervisor_text(const BoardDirectory& board) {
  const Descriptor file(::open(supervisor_file(board).c_str(), O_RDONLY | O_CLOEXEC));
  struct flock lock = whole_file();
  if (!file || ::fcntl(file.get(), F_OFD_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return {};
  char text[64] = {};
  return ::read(file.get(), text, sizeof text - 1) > 0 ? text : std::string();
}

}  // namespace

Result<Descriptor> take_supervisor_lock(const BoardDirectory& board, bool rehearses) {
  Descriptor file(::open(supervisor_file(board).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail(Errc::storage, fmt::format("cannot open {}", supervisor_file(board)));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_OFD_SETLK, &lock) != 0)
    return fail(Errc::conflict, "`bidboard up` is running already; see `bidboard status`");
  const std::string text = fmt::format("{}{}\n", ::getpid(), rehearses ? rehearsal_word : "");
  if (::ftruncate(file.get(), 0) != 0 || ::write(file.get(), text.data(), text.size()) < 0)
    return fail(Errc::storage, fmt::format("cannot write {}", supervisor_file(board)));
  return file;
}

pid_t supervisor_pid(const BoardDirectory& board) {
  return static_cast<pid_t>(std::strtol(supervisor_text(board).c_str(), nullptr, 10));
}

bool rehearses(const BoardDirectory& board) {
  return supervisor_text(board).find(rehearsal_word) != std::string::npos;
}

}  // namespace bidboard
