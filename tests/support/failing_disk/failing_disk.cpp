// A library to be loaded before others (LD_PRELOAD) that makes a program's disk fail. Every call that writes
// to a file or flushes one is a step, and so is every message given to ZeroMQ; steps are numbered from 1.
//
//   FAILING_DISK="die 7"         SIGKILL in place of the seventh step
//   FAILING_DISK="lose 7"        the same, and of what was written but not flushed by then, each piece is
//                                there or not as a coin decides: what a power cut does
//   FAILING_DISK="EIO 7 2"       the seventh and eighth steps fail so (ENOSPC likewise); of what was to be
//                                written, the first half is
//
// FORBID_CONNECT=1 makes connections to Unix sockets fail with EPERM, as the sandboxes of coding agents do.
//
// LMDB writes through pwrite and writev, flushes with fdatasync, and writes its last page, the one that makes
// a commit, through a descriptor that flushes by itself.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

namespace {

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

struct Plan {
  enum class What { nothing, die, lose, fail };
  What what = What::nothing;
  int error = 0;
  long first = 0;
  long count = 1;

  Plan() {
    const char* text = std::getenv("FAILING_DISK");
    char word[16] = {};
    if (!text || std::sscanf(text, "%15s %ld %ld", word, &first, &count) < 2) return;
    const std::string name = word;
    what = name == "die" ? What::die : name == "lose" ? What::lose : What::fail;
    error = name == "ENOSPC" ? ENOSPC : EIO;
  }
};

const Plan& plan() {
  static const Plan made;
  return made;
}

/// What stood where something was written that is not flushed yet.
struct Unflushed {
  int fd;
  off_t offset;
  std::string before;
};
std::mutex mutex;
std::vector<Unflushed>& unflushed() {
  static auto* list = new std::vector<Unflushed>;
  return *list;
}

bool is_file(int fd) {
  struct stat info {};
  return fd > 2 && ::fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

[[noreturn]] void die() {
  if (plan().what == Plan::What::lose) {
    unsigned coin = static_cast<unsigned>(plan().first);
    const std::lock_guard lock(mutex);
    for (auto at = unflushed().rbegin(); at != unflushed().rend(); ++at) {
      coin = coin * 1664525u + 1013904223u;
      if (coin >> 31)
        static_cast<void>(
            next<decltype(::pwrite)>("pwrite")(at->fd, at->before.data(), at->before.size(), at->offset));
    }
  }
  ::kill(::getpid(), SIGKILL);
  while (true) ::pause();
}

/// Counts a step. True: it must fail.
bool step() {
  static std::atomic<long> steps{0};
  const Plan& to_do = plan();
  if (to_do.what == Plan::What::nothing) return false;
  const long number = ++steps;
  if (number < to_do.first || number >= to_do.first + to_do.count) return false;
  if (to_do.what != Plan::What::fail) die();
  errno = to_do.error;
  return true;
}

void remember(int fd, std::size_t bytes, off_t offset) {
  if (plan().what != Plan::What::lose || (::fcntl(fd, F_GETFL) & O_DSYNC) != 0) return;
  std::string before(bytes, '\0');  // beyond the end of the file: zeros
  static_cast<void>(::pread(fd, before.data(), bytes, offset));
  const std::lock_guard lock(mutex);
  unflushed().push_back({fd, offset, std::move(before)});
}

int flush(int fd, int (*really)(int)) {
  if (is_file(fd) && step()) return -1;
  const int done = really(fd);
  if (done == 0) {
    const std::lock_guard lock(mutex);
    std::erase_if(unflushed(), [fd](const Unflushed& piece) { return piece.fd == fd; });
  }
  return done;
}

}  // namespace

extern "C" {

ssize_t pwrite(int fd, const void* bytes, size_t size, off_t offset) {
  static auto* const really = next<decltype(::pwrite)>("pwrite");
  if (!is_file(fd)) return really(fd, bytes, size, offset);
  if (step()) {
    const int error = errno;
    static_cast<void>(really(fd, bytes, size / 2, offset));
    errno = error;
    return -1;
  }
  remember(fd, size, offset);
  return really(fd, bytes, size, offset);
}

ssize_t writev(int fd, const iovec* pieces, int count) {
  static auto* const really = next<decltype(::writev)>("writev");
  if (!is_file(fd)) return really(fd, pieces, count);
  if (step()) return -1;
  std::size_t size = 0;
  for (int i = 0; i < count; ++i) size += pieces[i].iov_len;
  remember(fd, size, ::lseek(fd, 0, SEEK_CUR));
  return really(fd, pieces, count);
}

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const really = next<decltype(::write)>("write");
  if (!is_file(fd)) return really(fd, bytes, size);
  if (step()) return -1;
  remember(fd, size, ::lseek(fd, 0, SEEK_CUR));
  return really(fd, bytes, size);
}

int ftruncate(int fd, off_t size) {
  static auto* const really = next<decltype(::ftruncate)>("ftruncate");
  return is_file(fd) && step() ? -1 : really(fd, size);
}

int fdatasync(int fd) { return flush(fd, next<decltype(::fdatasync)>("fdatasync")); }
int fsync(int fd) { return flush(fd, next<decltype(::fsync)>("fsync")); }

int connect(int fd, const sockaddr* address, socklen_t size) {
  static const bool forbidden = std::getenv("FORBID_CONNECT") != nullptr;
  if (forbidden && address->sa_family == AF_UNIX) {
    errno = EPERM;
    return -1;
  }
  return next<decltype(::connect)>("connect")(fd, address, size);
}

int zmq_send(void* socket, const void* bytes, size_t size, int flags) {
  static auto* const really = next<int(void*, const void*, size_t, int)>("zmq_send");
  if (plan().what != Plan::What::fail && step()) return -1;
  return really(socket, bytes, size, flags);
}
}
