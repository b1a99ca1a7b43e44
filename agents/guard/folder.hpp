// A folder that stays the same one when it is moved: an open handle (openat), beside the path that led to it.
// Copies share the handle. For one thread.
#pragma once

#include <fcntl.h>

#include <memory>
#include <string>

#include "agents/guard/descriptor.hpp"
#include "blackboard/result.hpp"

namespace bidboard {

class Folder {
 public:
  /// None: names are paths.
  Folder() = default;
  /// If it cannot be opened, check() says why, and no file in it can.
  explicit Folder(std::string path);

  explicit operator bool() const { return handle_ != nullptr; }
  Result<void> check() const;
  /// For the ...at() calls.
  int fd() const { return handle_ ? handle_->get() : AT_FDCWD; }
  /// Where it is now; where it was, if it was removed or the system does not know.
  std::string path() const;

 private:
  std::string path_;
  std::shared_ptr<const Descriptor> handle_;
  int error_ = 0;  ///< why it could not be opened
};

}  // namespace bidboard
