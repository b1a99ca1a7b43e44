// An MCP server on standard input and output, until the client closes one of them or a signal comes. Nothing
// but answers goes to standard output.
#pragma once

#include "runtime/mcp/server.hpp"
#include "runtime/shell/command.hpp"

namespace bidboard {

/// Errors: failed (standard input cannot be read).
Result<Exit> serve_mcp(mcp::Server& server);

}  // namespace bidboard
