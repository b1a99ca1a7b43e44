// `mcp install`: tells a coding agent of this server, in the file that the agent reads.
#pragma once

#include <string>

#include "runtime/shell/command.hpp"

namespace bidboard {

struct McpInstall {
  std::string client;
  bool remove = false;
  bool dry_run = false;
};

/// Prints the file and the lines that change. Errors: invalid (no such client; the file does not parse);
/// refused (inside a task; the file, its folder or a link to it belongs to somebody else); storage.
Result<Exit> install_mcp(const Globals& globals, const McpInstall& what);

}  // namespace bidboard
