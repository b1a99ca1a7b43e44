#include "agents/guard/folder.hpp"

#include <cerrno>
#include <cstring>

#include "agents/guard/platform.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard {

Folder::Folder(std::string path) : path_(std::move(path)) {
#if defined(O_PATH)
  constexpr int how = O_PATH;  // needs no right to list it
#else
  constexpr int how = O_RDONLY;
#endif
  handle_ = std::make_shared<const Descriptor>(::open(path_.c_str(), how | O_DIRECTORY | O_CLOEXEC));
  if (!*handle_) error_ = errno;
}

Result<void> Folder::check() const {
  if (error_ == 0) return {};
  return fail(Errc::failed, fmt::format("cannot open {}: {}", path_, std::strerror(error_)));
}

std::string Folder::path() const { return handle_ ? path_of(*handle_).value_or(path_) : path_; }

}  // namespace bidboard
