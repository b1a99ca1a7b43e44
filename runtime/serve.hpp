// The live driver: one thread that owns the board's store, the controller and the sockets. Edge code.
#pragma once

#include <functional>
#include <string>

#include "blackboard/lmdb_store.hpp"
#include "runtime/board_directory.hpp"
#include "runtime/controller.hpp"

namespace bidboard {

struct ServeOptions {
  Durability durability = Durability::commit;
  /// Called for every note; the shell prints it.
  std::function<void(const Note&)> on_note = [](const Note&) {};
  /// Called once, when tools and agents can connect.
  std::function<void(const Writer&)> on_ready = [](const Writer&) {};
};

/// Serves the board until SIGTERM, SIGINT or a Shutdown request. Errors: conflict (another controller
/// serves), storage, unavailable (cannot listen).
Result<void> serve(const BoardDirectory& board, const ServeOptions& options);

}  // namespace bidboard
