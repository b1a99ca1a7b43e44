#include "runtime/shell/supervisor_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <string_view>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

constexpr std::string_view rehearsal_word = " rehearsal";

std::string supervisor_file(const BoardDirectory& board) { return board.path + "/supervisor.lock"; }

/// A lock of the process, so that looking does not take it, and tells who has it. Whoever has it must not
/// look: the process gives it up when it closes any descriptor of the file.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

pid_t holder_of(const Descriptor& file) {
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) return 0;
  return lock.l_pid;
}

/// What the running `up` wrote into its lock; empty: none runs.
std::string supervisor_text(const BoardDirectory& board) {
  const Descriptor file(::open(supervisor_file(board).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || holder_of(file) == 0) return {};
  char text[64] = {};
  return ::read(file.get(), text, sizeof text - 1) > 0 ? text : std::string();
}

}  // namespace

Result<Descriptor> take_supervisor_lock(const BoardDirectory& board, bool rehearses) {
  Descriptor file(::open(supervisor_file(board).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail(Errc::storage, fmt::format("cannot open {}", supervisor_file(board)));
  struct flock lock = whole_file();
  if (::fcntl(file.get(), F_SETLK, &lock) != 0)
    return fail(Errc::conflict, "`bidboard up` is running already; see `bidboard status`");
  const std::string text = fmt::format("{}{}\n", ::getpid(), rehearses ? rehearsal_word : "");
  if (::ftruncate(file.get(), 0) != 0 || ::write(file.get(), text.data(), text.size()) < 0)
    return fail(Errc::storage, fmt::format("cannot write {}", supervisor_file(board)));
  return file;
}

pid_t supervisor_pid(const BoardDirectory& board) {
  const Descriptor file(::open(supervisor_file(board).c_str(), O_RDONLY | O_CLOEXEC));
  return file ? holder_of(file) : 0;
}

bool rehearses(const BoardDirectory& board) {
  return supervisor_text(board).find(rehearsal_word) != std::string::npos;
}

}  // namespace bidboard
