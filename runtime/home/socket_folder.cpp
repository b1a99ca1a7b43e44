#include "runtime/home/socket_folder.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"

namespace bidboard {
namespace {

/// ipc paths must fit into a socket address (108 bytes).
constexpr std::size_t folder_bytes_max = 80;

}  // namespace

Result<void> make_private_folder(const std::string& folder) {
  if (folder.size() > folder_bytes_max)
    return fail(Errc::invalid, "the socket folder's path is longer than 80 bytes: " + folder);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    return fail(Errc::unavailable, fmt::format("cannot create {}: {}", folder, std::strerror(errno)));
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != ::getuid() ||
      (info.st_mode & 077) != 0)
    return fail(Errc::refused, folder + " must be a folder that belongs to you, with mode 0700");
  return {};
}

std::string socket_folder(const std::string& board_path) {
  const std::string name = "bidboard-" + to_hex(content_hash(board_path)).substr(0, 12);
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string in_runtime = runtime ? fmt::format("{}/{}", runtime, name) : "";
  if (!in_runtime.empty() && in_runtime.size() <= folder_bytes_max && ::access(runtime, W_OK) == 0)
    return in_runtime;
  return fmt::format("/tmp/{}-{}", name, ::getuid());
}

}  // namespace bidboard
