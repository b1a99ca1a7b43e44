#include "runtime/shell/job_site.hpp"

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "blackboard/fmt.hpp"
#include "runtime/shell/caller.hpp"

namespace bidboard {

namespace fs = std::filesystem;

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

CallOptions JobSite::caller() const { return temporary_ ? CallOptions{} : bidboard::caller(); }

}  // namespace bidboard
