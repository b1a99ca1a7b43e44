// The live driver: one thread that owns the board's store, the controller and the sockets. Edge code.
#pragma once

#include <functional>
#include <string>

#include "blackboard/store/lmdb_store.hpp"
#include "runtime/core/controller.hpp"
#include "runtime/home/board_directory.hpp"

namespace bidboard {

struct ServeOptions {
  Durability durability = Durability::commit;
  StoreOpener open_store = open_lmdb;
  std::string listen;                   ///< empty, or where to listen for other machines: tcp://ADDRESS:PORT
  std::size_t connections_max = 1'000;  ///< per transport, feed included
  /// Called for every note; the shell prints it.
  std::function<void(const Note&)> on_note = [](const Note&) {};
  /// Called once, as soon as tools and agents can connect.
  std::function<void(const Writer&)> on_ready = [](const Writer&) {};
};

/// Serves the board until SIGTERM, SIGINT or a Shutdown request. Errors: conflict (another controller
/// serves), storage, unavailable (cannot listen), and the errors of the board's keys if it must `listen`.
Result<void> serve(const BoardDirectory& board, const ServeOptions& options);

}  // namespace bidboard
