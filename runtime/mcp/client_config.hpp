// How coding agents are told of this server: their configuration files, changed as text. What else is in a
// file stays. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "blackboard/result.hpp"

namespace bidboard::mcp {

/// A client and the file that it reads.
struct Client {
  enum class Place { project, codex_home };
  enum class Format { json, toml };
  std::string_view name;
  Place place;
  std::string_view file;  ///< below the project's folder, or below CODEX_HOME (~/.codex)
  Format format;
};

std::span<const Client> clients();
/// nullptr: there is no such client.
const Client* find_client(std::string_view name);

/// The file's text with our server in it. `program`: what the client starts. Errors: invalid (the file does
/// not parse, or has something else in our place), with what to add by hand.
Result<std::string> with_server(const Client& client, std::string_view text, std::string_view program);
/// The same text without it; empty if nothing is left. Errors: as for with_server.
Result<std::string> without_server(const Client& client, std::string_view text);

/// Lines that differ, with - and +, and a few lines around them. Empty: nothing differs.
std::string changed_lines(std::string_view before, std::string_view after);

}  // namespace bidboard::mcp
