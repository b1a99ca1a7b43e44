// The lock that keeps two executions of a task on one machine from overlapping: flock on a file of its own.
// It belongs to the open file, so every process with a copy of the descriptor keeps it, and it ends with the
// last of them.
//
// The holder removes the file before it releases the lock: a board with a million finished tasks has no lock
// files left.
#pragma once

#include <optional>
#include <string>

#include "agents/guard/descriptor.hpp"
#include "agents/guard/folder.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

struct LockTry {
  int fd = -1;    ///< the locked file, close-on-exec; -1: not acquired
  int error = 0;  ///< 0 and no fd: another process holds it; else errno: the file cannot be locked
};
/// Tries once, without waiting. `name`: in `folder`, which may be AT_FDCWD. Async-signal-safe.
LockTry try_lock_file(int folder, const char* name);

/// A lock held by this process. Move-only.
class TaskLock {
 public:
  TaskLock() = default;
  ~TaskLock() { release(); }
  TaskLock(TaskLock&&) noexcept = default;
  TaskLock& operator=(TaskLock&&) = delete;

  /// True if it is held now, false while another process holds it. Errors: failed (the file cannot be opened
  /// or locked).
  Result<bool> try_take(const Folder& folder, const std::string& name);
  bool held() const { return static_cast<bool>(file_); }
  const Descriptor& descriptor() const { return file_; }
  /// Releases it for every copy of the descriptor, also those in other processes.
  void release();

 private:
  Folder folder_;
  std::string name_;
  Descriptor file_;
};

}  // namespace bidboard
