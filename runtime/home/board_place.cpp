#include "runtime/home/board_place.hpp"

#include <sys/stat.h>

#include "blackboard/fmt.hpp"

namespace bidboard {
namespace {

std::optional<std::pair<dev_t, ino_t>> folder_at(const std::string& path) {
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return {};
  return std::pair(found.st_dev, found.st_ino);
}

}  // namespace

BoardPlace::BoardPlace(const BoardDirectory& board) : board_(board), folder_(folder_at(board.path)) {}

Result<void> BoardPlace::look(Instant now) {
  if (now < next_look_) return {};
  next_look_ = now + look_interval;
  return check();
}

Result<void> BoardPlace::check() const {
  if (const auto folder = folder_at(board_.path); folder == folder_) return {};
  return fail(
      Errc::unavailable,
      fmt::format("the board's folder {} was moved or removed; everything that worked on it stops. If "
                  "it was moved, start it again where it is now",
                  board_.path));
}

}  // namespace bidboard
