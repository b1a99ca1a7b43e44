// One table of a TOML file, added, replaced or removed as text: comments and layout of the rest stay. Knows
// as much of TOML as tells where a table begins and ends. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "blackboard/result.hpp"

namespace bidboard::mcp {

/// [parent.name], followed by its lines.
struct TomlTable {
  std::string parent;
  std::string name;
  std::vector<std::string> lines;
};

/// Errors: invalid (a text or list that does not end, or the table is written in another form), with what to
/// do.
Result<std::string> with_table(std::string_view text, const TomlTable& table);
/// Sub-tables go too. Errors: as for with_table.
Result<std::string> without_table(std::string_view text, const TomlTable& table);

}  // namespace bidboard::mcp
