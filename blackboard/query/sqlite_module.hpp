// Shows a Table to SQLite as an eponymous virtual table (https://www.sqlite.org/vtab.html).
#pragma once

#include "blackboard/query/table.hpp"

struct sqlite3;

namespace bidboard::query {

struct Module {
  const Table* table;
  const Snapshot* snapshot;
};

/// Makes the table known to the connection under its name. `module` must outlive the connection. False: out
/// of memory.
bool add_module(sqlite3* connection, Module* module);

}  // namespace bidboard::query
