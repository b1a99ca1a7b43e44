// The folder of a board's local sockets: a short path, since a socket address is limited to 108 bytes. Edge
// code.
#pragma once

#include <string>
#include <vector>

#include "blackboard/result.hpp"

namespace bidboard {

/// Creates the folder if it is missing. Errors: invalid (its path is longer than 80 bytes), unavailable,
/// refused (others may access it).
Result<void> make_private_folder(const std::string& folder);

/// Short folders for a board's sockets, under XDG_RUNTIME_DIR or /tmp, the same for every process of this
/// user. The first that is ours is used: in /tmp another user can make a folder of any name before we do.
std::vector<std::string> socket_folders(const std::string& board_id);

/// The folder of an ipc endpoint. REQUIRES: it is one.
std::string folder_of_socket(const std::string& endpoint);

/// Whether a process listens at this socket.
bool is_answered(const std::string& socket);

}  // namespace bidboard
