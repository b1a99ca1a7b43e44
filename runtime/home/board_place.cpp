#include "runtime/home/board_place.hpp"

#include <sys/stat.h>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

std::optional<std::pair<dev_t, ino_t>> file_at(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return std::pair(found.st_dev, found.st_ino);
}

}  // namespace

BoardPlace::BoardPlace(const BoardDirectory& board)
    : board_(board), folder_(file_at(board.path)), store_(file_at(board.store())) {}

Result<void> BoardPlace::look(Instant now) {
  if (now < next_look_) return {};
  next_look_ = now + look_interval;
  return check();
}

Result<void> BoardPlace::check() const {
  const bool same_store = !store_ || file_at(board_.store()) == store_;
  if (file_at(board_.path) == folder_ && same_store) return {};
  if (file_at(board_.path) == folder_)
    return fail(Errc::unavailable,
                fmt::format("{} was removed or replaced; everything that worked on it stops. "
                            "Restore the board from a backup",
                            board_.store()));
  return fail(
      Errc::unavailable,
      fmt::format("the board's folder {} was moved or removed; everything that worked on it stops. If "
                  "it was moved, start it again where it is now",
                  board_.path));
}

}  // namespace bidboard
