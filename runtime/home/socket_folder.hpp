// The folder of a board's local sockets: a short path, since a socket address is limited to 108 bytes. Edge
// code.
#pragma once

#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

/// Creates the folder if it is missing. Errors: invalid (its path is longer than 80 bytes), unavailable,
/// refused (others may access it).
Result<void> make_private_folder(const std::string& folder);

/// A short folder for a board's sockets, the same for every process of this user: under XDG_RUNTIME_DIR or
/// /tmp.
std::string socket_folder(const std::string& board_path);

}  // namespace bidboard
