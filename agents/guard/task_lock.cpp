#include "agents/guard/task_lock.hpp"
#include "blackboard/fmt.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bidboard {

LockTry try_lock_file(int folder, const char* name) {
  const int fd = openat(folder, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return {-1, errno};
  int error = 0;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    // The last holder may have removed the file since we opened it: a lock on a file that was unlinked
    // protects nothing.
    struct stat held {};
    struct stat named {};
    if (fstat(fd, &held) == 0 && fstatat(folder, name, &named, 0) == 0 && held.st_ino == named.st_ino &&
        held.st_dev == named.st_dev)
      return {fd, 0};
  } else if (errno != EWOULDBLOCK && errno != EINTR) {
    error = errno;
  }
  close(fd);
  return {-1, error};
}

Result<bool> TaskLock::try_take(const Folder& folder, const std::string& name) {
  if (held()) return true;
  const LockTry attempt = try_lock_file(folder.fd(), name.c_str());
  if (attempt.error != 0)
    return fail(Errc::failed, fmt::format("cannot lock {}: {}", name, std::strerror(attempt.error)));
  if (attempt.fd < 0) return false;
  folder_ = folder;
  name_ = name;
  file_ = Descriptor(attempt.fd);
  return true;
}

void TaskLock::release() {
  if (!held()) return;
  unlinkat(folder_.fd(), name_.c_str(), 0);
  flock(file_.get(), LOCK_UN);
  file_.reset();
}

}  // namespace bidboard
