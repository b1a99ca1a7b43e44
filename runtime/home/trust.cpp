#include "runtime/home/trust.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

/// Where the user's decisions are kept: one folder a line. Empty: the user has no home.
std::string list_of_trusted() {
  const char* config = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (config && *config == '/') return std::string(config) + "/bidboard/trusted";
  if (home && *home == '/') return std::string(home) + "/.config/bidboard/trusted";
  return {};
}

/// In a shared folder with the sticky bit, others can add files, but not change or replace ours. A group that
/// is our own first one is usually ours alone.
std::string flaw_of(const std::string& path, const struct stat& info) {
  if (info.st_uid != ::geteuid() && info.st_uid != 0)
    return fmt::format("{} belongs to user {}", path, info.st_uid);
  const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  const bool by_group = (info.st_mode & S_IWGRP) != 0 && info.st_gid != ::getegid() && info.st_gid != 0;
  if (!sticky && ((info.st_mode & S_IWOTH) != 0 || by_group))
    return fmt::format("other users can change {}", path);
  return {};
}

std::string flaw_of_path(const std::string& path) {
  struct stat link {
  }, target{};
  if (::lstat(path.c_str(), &link) != 0) return {};
  const bool is_link = S_ISLNK(link.st_mode);
  if (is_link && link.st_uid != ::geteuid() && link.st_uid != 0)
    return fmt::format("{} is a link that belongs to user {}", path, link.st_uid);
  return ::stat(path.c_str(), &target) == 0 ? flaw_of(path, target) : std::string();
}

std::string flaw_of_board(const std::string& path) {
  const std::string home = path.substr(0, path.rfind('/'));
  for (const std::string& part : {home, path, home + "/bidboard.yaml"})
    if (std::string flaw = flaw_of_path(part); !flaw.empty()) return flaw;
  return {};
}

bool is_trusted(const std::string& home) {
  std::error_code error;
  const std::string folder = fs::canonical(home, error).string();
  if (error) return false;
  const std::string list = list_of_trusted();
  if (list.empty() || !flaw_of_path(list).empty()) return false;
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);)
    if (line == folder) return true;
  return false;
}

}  // namespace

Result<void> check_trust(const std::string& path) {
  const std::string flaw = flaw_of_board(path);
  const std::string home = path.substr(0, path.rfind('/'));
  if (flaw.empty() || is_trusted(home)) return {};
  return fail(
      Errc::refused,
      fmt::format("{}, and a board's settings run commands as you; if you trust those who can change it: "
                  "`bidboard trust {}`",
                  flaw, home));
}

Result<void> check_own_folder(const std::string& path) {
  const auto refuse = [&](const std::string& why) {
    return fail(Errc::refused,
                fmt::format("{}; move {} away, then `bidboard init` makes a new one", why, path));
  };
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0)
    return fail(Errc::storage, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  if (!S_ISDIR(info.st_mode)) return refuse(path + " is not a folder");
  if (info.st_uid != ::geteuid()) return refuse(fmt::format("{} belongs to user {}", path, info.st_uid));
  if ((info.st_mode & 022) != 0) return refuse(fmt::format("other users can change {}", path));
  std::error_code error;
  for (auto at = fs::recursive_directory_iterator(path, error);
       !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
    struct stat inner {};
    const std::string name = at->path().string();
    if (::lstat(name.c_str(), &inner) != 0) continue;
    if (S_ISLNK(inner.st_mode)) return refuse(name + " is a link");
    if (inner.st_uid != ::geteuid()) return refuse(fmt::format("{} belongs to user {}", name, inner.st_uid));
  }
  if (error) return fail(Errc::storage, fmt::format("cannot read {}: {}", path, error.message()));
  return {};
}

Result<std::string> trust_folder(const std::string& folder) {
  std::error_code error;
  const std::string home = fs::canonical(folder.empty() ? "." : folder, error).string();
  if (error) return fail(Errc::not_found, fmt::format("no folder {}", folder));
  if (!fs::is_directory(home, error)) return fail(Errc::invalid, fmt::format("{} is not a folder", home));
  if (!is_board({fmt::format("{}/{}", home, board_folder)}))
    return fail(Errc::not_found, fmt::format("no board in {} that you can read; name the folder that holds "
                                             "the folder {}",
                                             home, board_folder));
  const std::string list = list_of_trusted();
  if (list.empty()) return fail(Errc::storage, "neither HOME nor XDG_CONFIG_HOME says where to keep that");
  if (home.find('\n') != std::string::npos)
    return fail(Errc::invalid, "a folder with a line break in its name");
  if (is_trusted(home)) return home;
  fs::create_directories(fs::path(list).parent_path(), error);
  const Descriptor file{::open(list.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
  const std::string line = home + "\n";
  if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return fail(Errc::storage, fmt::format("cannot write {}: {}", list, std::strerror(errno)));
  return home;
}

}  // namespace bidboard
