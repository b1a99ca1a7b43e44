#include "runtime/shell/job_site.hpp"

#include <fcntl.h>
#include <stdlib.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"
#include "runtime/shell/caller.hpp"

namespace bidboard {

namespace fs = std::filesystem;

namespace {

/// In which each job locks a byte of its own.
std::string jobs_file(const BoardDirectory& board) { return board.path + "/jobs.lock"; }

struct flock bytes(off_t first, off_t count) {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  lock.l_start = first;
  lock.l_len = count;
  return lock;
}

}  // namespace

Result<JobSite> JobSite::open(const Globals& globals, const std::string& project) {
  Result<BoardDirectory> found = find_board(globals.directory);
  if (found) return JobSite(*found, false);
  // A board that was named, or that is refused, is not replaced by another one.
  const bool is_named = !globals.directory.empty() || std::getenv("BIDBOARD_DIR");
  if (is_named || found.error().code != Errc::not_found) return fail(found.error());
  std::error_code error;
  const fs::path folder = fs::temp_directory_path(error);
  if (error)
    return fail(Errc::storage, "there is no folder for a temporary board: TMPDIR does not name a folder");
  std::string pattern = (folder / "bidboard-run-XXXXXX").string();
  if (!::mkdtemp(pattern.data()))
    return fail(
        Errc::storage,
        fmt::format("cannot make a folder for a temporary board at {}; set TMPDIR to a folder that you "
                    "may write, or make a board here with `bidboard init`",
                    pattern));
  Result<BoardDirectory> made = make_board_folder(pattern);
  if (!made) return fail(made.error());
  JobSite site(*made, true);
  {
    const auto store = LmdbStore::open(made->path, {.create = true});
    if (!store) return fail(store.error());
  }
  Config config;
  config.project = project;
  if (const auto configured = call_for<Nothing>(*made, Configure{config}); !configured)
    return fail(configured.error());
  return site;
}

JobSite::JobSite(JobSite&& other) noexcept
    : board_(other.board_), temporary_(std::exchange(other.temporary_, false)), kept_(other.kept_) {}

JobSite::~JobSite() {
  std::error_code ignored;
  if (temporary_ && !kept_) fs::remove_all(board_.home(), ignored);
}

Result<Descriptor> JobSite::take_job(const std::string& job) const {
  const std::string path = jobs_file(board_);
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!file) return fail(Errc::storage, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  std::uint64_t byte = 0;
  std::memcpy(&byte, content_hash(job).data(), sizeof byte);
  struct flock lock = bytes(static_cast<off_t>(byte >> 2), 1);
  if (::fcntl(file.get(), F_SETLK, &lock) == 0) return file;
  const bool is_taken = errno == EACCES || errno == EAGAIN;
  if (!is_taken) return fail(Errc::storage, fmt::format("cannot lock {}: {}", path, std::strerror(errno)));
  ::fcntl(file.get(), F_GETLK, &lock);
  return fail(Errc::conflict, fmt::format("another `bidboard run` executes this job on this board (process "
                                          "{}); wait for it, or stop it with ctrl-C there",
                                          lock.l_pid));
}

std::set<pid_t> running_jobs(const BoardDirectory& board) {
  std::set<pid_t> jobs;
  const Descriptor file(::open(jobs_file(board).c_str(), O_RDONLY | O_CLOEXEC));
  for (off_t from = 0; file;) {
    struct flock lock = bytes(from, 0);  // to the end
    if (::fcntl(file.get(), F_GETLK, &lock) != 0 || lock.l_type == F_UNLCK) break;
    jobs.insert(lock.l_pid);
    from = lock.l_start + 1;
  }
  return jobs;
}

CallOptions JobSite::caller() const { return temporary_ ? CallOptions{} : bidboard::caller(); }

}  // namespace bidboard
