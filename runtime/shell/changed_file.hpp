// Changes a file that other programs read: shows the lines that change, keeps its permissions, and writes to
// no file, folder or link of another user.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include "runtime/shell/command.hpp"

namespace bidboard {

struct FileChange {
  std::filesystem::path path;
  bool deletes_empty = false;  ///< the file goes when nothing is left in it
  bool dry_run = false;
  std::string unchanged;                                             ///< what to say when nothing changes
  std::function<Result<std::string>(const std::string& before)> to;  ///< its new text
};

/// A hint where there is no board: the file would be for sessions in the present folder.
void mention_missing_board(const Globals& globals, const std::filesystem::path& file);

/// Prints the file and the lines that change. Errors: refused (the file, its folder or a link to it belongs
/// to somebody else), storage, those of `to`.
Result<Exit> change_file(const FileChange& change);

}  // namespace bidboard
