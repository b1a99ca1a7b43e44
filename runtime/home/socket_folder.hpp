// Where a board's local sockets stand: a short path, since a socket's address has room for 108 bytes. Edge
// code.
#pragma once

#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

/// Makes the folder when it is missing. Errors: invalid (its path is longer than 80 bytes), unavailable,
/// refused (it is not ours alone).
Result<void> make_private_folder(const std::string& folder);

/// A short folder for a board's sockets, the same for every process of this user: under XDG_RUNTIME_DIR or
/// /tmp.
std::string socket_folder(const std::string& board_path);

}  // namespace bidboard
