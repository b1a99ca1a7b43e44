// Whose board it is. A board and its bidboard.yaml say which commands run, as the user who types `bidboard
// up`: what another user has made, or can change, is used only after `bidboard trust`. Edge code.
#pragma once

#include <string>

#include "blackboard/result.hpp"

namespace bidboard {

/// Whether the board folder, the folder that holds it and its bidboard.yaml are ours or root's and only we
/// can change them, or the user trusts them. `path`: of the .bidboard folder. Errors: refused, with what to
/// do.
Result<void> check_trust(const std::string& path);

/// Whether we alone can change a board folder that exists already, and what is in it: ours, a folder and no
/// link, without links. Errors: refused.
Result<void> check_own_folder(const std::string& path);

/// From now on this user trusts the board in a folder, no matter who can change it. Returns the folder.
/// Errors: not_found (no such folder, or no board in it), invalid (not a folder), storage.
Result<std::string> trust_folder(const std::string& folder);

}  // namespace bidboard
