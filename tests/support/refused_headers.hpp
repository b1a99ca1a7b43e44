// An LMDB environment of this process that cannot write the page that makes a commit: it refuses everything
// from then on.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

namespace bidboard {

/// LMDB writes headers through a descriptor of their own, whose writes are synchronous: that one is replaced
/// by one that is open for reading only. Opening the environment again undoes it. False: there is none.
inline bool refuse_headers(const std::string& file) {
  constexpr int descriptors_max = 1'024;
  struct stat wanted {};
  const int unwritable = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (unwritable < 0 || ::fstat(unwritable, &wanted) != 0) return false;
  bool done = false;
  for (int fd = 0; fd < descriptors_max && !done; ++fd) {
    struct stat info {};
    const int flags = ::fcntl(fd, F_GETFL);
    if (flags < 0 || (flags & O_DSYNC) == 0 || ::fstat(fd, &info) != 0) continue;
    if (info.st_dev != wanted.st_dev || info.st_ino != wanted.st_ino) continue;
    done = ::dup3(unwritable, fd, O_CLOEXEC) == fd;
  }
  ::close(unwritable);
  return done;
}

}  // namespace bidboard
