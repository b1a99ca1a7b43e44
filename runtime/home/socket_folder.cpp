#include "runtime/home/socket_folder.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
constexpr std::size_t folders_tried = 8;

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

std::vector<std::string> socket_folders(const std::string& board_id) {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool own_runtime = runtime && ::access(runtime, W_OK) == 0;
  std::vector<std::string> folders;
  for (std::size_t i = 0; i < folders_tried; ++i) {
    // The names follow from the board's id, which other users do not know.
    const std::string hash = to_hex(content_hash(fmt::format("sockets {} {}", board_id, i))).substr(0, 12);
    const std::string in_runtime = own_runtime ? fmt::format("{}/bidboard-{}", runtime, hash) : "";
    if (!in_runtime.empty() && in_runtime.size() <= folder_bytes_max)
      folders.push_back(in_runtime);
    else
      folders.push_back(fmt::format("/tmp/bidboard-{}-{}", hash, ::getuid()));
  }
  return folders;
}

std::string folder_of_socket(const std::string& endpoint) {
  const std::size_t begin = std::string("ipc://").size();
  return endpoint.substr(begin, endpoint.rfind('/') - begin);
}

bool is_answered(const std::string& socket) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof address.sun_path) return false;
  socket.copy(address.sun_path, socket.size());
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered =
      fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (fd >= 0) ::close(fd);
  return answered;
}

}  // namespace bidboard
