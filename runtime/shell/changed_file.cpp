#include "runtime/shell/changed_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "agents/guard/descriptor.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/mcp/client_config.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

/// What another user could turn against us: a file, folder or link that is theirs.
Result<void> check_owner(const fs::path& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0) return {};
  if (info.st_uid == ::geteuid() || info.st_uid == 0) return {};
  return fail(Errc::refused, fmt::format("{}{} belongs to user {}; nothing was written", path.string(),
                                         S_ISLNK(info.st_mode) ? " is a link that" : "", info.st_uid));
}

/// Where the file really is, if it is there.
Result<fs::path> resolved(const fs::path& path) {
  for (const fs::path& part : {path.parent_path(), path})
    if (const Result<void> ours = check_owner(part); !ours) return fail(ours.error());
  std::error_code error;
  if (!fs::is_symlink(fs::symlink_status(path, error))) return path;
  fs::path target = fs::canonical(path, error);
  if (error) return fail(Errc::invalid, fmt::format("{} is a link that leads nowhere", path.string()));
  for (const fs::path& part : {target.parent_path(), target})
    if (const Result<void> ours = check_owner(part); !ours) return fail(ours.error());
  return target;
}

Error cannot_write(const fs::path& path) {
  const Errc code = errno == EACCES || errno == EPERM || errno == EROFS ? Errc::refused : Errc::storage;
  return {code, fmt::format("cannot write {}: {}", path.string(), std::strerror(errno))};
}

/// The file has the old content or the new one, and keeps its permissions.
Result<void> replace(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  struct stat info {};
  const mode_t mode = ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777 : 0644;
  if (::access(path.c_str(), W_OK) != 0 && errno != ENOENT) return fail(cannot_write(path));
  const std::string draft = fmt::format("{}.{}.new", path.string(), ::getpid());
  {
    const Descriptor file(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) return fail(cannot_write(path));
    const bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                         ::fchmod(file.get(), mode) == 0 && ::fsync(file.get()) == 0;
    if (written && ::rename(draft.c_str(), path.c_str()) == 0) return {};
  }
  const Error why = cannot_write(path);
  ::unlink(draft.c_str());
  return fail(why);
}

}  // namespace

void mention_missing_board(const Globals& globals, const fs::path& file) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (board) return;
  if (board.error().code == Errc::refused)
    hint("The board here cannot be used yet: {}", board.error().text);
  else
    hint("There is no board here: {} is where a session would read it. `bidboard init` makes a board.",
         file.string());
}

Result<Exit> change_file(const FileChange& change) {
  const Result<fs::path> path = resolved(change.path);
  if (!path) return fail(path.error());
  Result<std::string> before = read_text("@" + path->string());
  const bool existed = before.has_value();
  if (!existed && before.error().code != Errc::not_found) return fail(before.error());
  if (!existed) before = std::string();
  const Result<std::string> after = change.to(*before);
  if (!after) return fail_in(path->string(), after.error());
  const std::string difference = mcp::changed_lines(*before, *after);
  if (difference.empty()) {
    say("{} {}; nothing to change", path->string(), change.unchanged);
    return Exit::ok;
  }
  const bool deletes = change.deletes_empty && after->empty();
  say("{}{}", path->string(), deletes ? " (deleted: nothing else is in it)" : existed ? "" : " (new)");
  say("{}", Shown::lines(difference.substr(0, difference.size() - 1)));
  if (change.dry_run) {
    hint("Nothing was written (--dry-run).");
    return Exit::ok;
  }
  if (deletes && ::unlink(path->c_str()) != 0) return fail(cannot_write(*path));
  if (!deletes)
    if (const Result<void> written = replace(*path, *after); !written) return fail(written.error());
  return Exit::ok;
}

}  // namespace bidboard
