// Who sends a command's requests, and where to. The sender is --as NAME or, inside a task's process, that
// task's agent (BIDBOARD_TOKEN). The receiver is the board of this folder, or the controller that
// BIDBOARD_CONNECT names.
#pragma once

#include <string_view>

#include "runtime/drivers/call.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

/// Whether this process may run the command. Inside a task's process (BIDBOARD_TOKEN) only those that are
/// listed in caller.cpp. Errors: refused; invalid (the token is empty).
Result<void> may_run(std::string_view command);

CallOptions caller(const std::string& as = {});

/// For commands that only send requests: -C, else BIDBOARD_CONNECT (with BIDBOARD_KEY), else the board that
/// find_board() finds. Errors: of find_board() and read_client_keys().
Result<Target> find_target(const Globals& globals);

/// How a program that runs elsewhere connects. `key_file`: empty for ipc://. Errors: of read_client_keys().
Result<Target> target_at(const std::string& endpoint, const std::string& key_file);

}  // namespace bidboard
