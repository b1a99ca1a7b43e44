// The tools that an MCP session has on a board. They do what the shell's commands do, by the same requests.
#pragma once

#include <string>
#include <vector>

#include "runtime/mcp/tool.hpp"
#include "runtime/shell/mcp_session.hpp"

namespace bidboard {

/// In a fixed order. The session must outlive them.
std::vector<mcp::Tool> board_tools(McpSession& session);

/// What a client tells its model of the server: which tool does what.
std::string board_instructions(const McpSession& session);

}  // namespace bidboard
