#include "blackboard/query/sqlite_module.hpp"
#include "blackboard/fmt.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <cmath>
#include <exception>
#include <new>

namespace bidboard::query {
namespace {

// SQLite knows these by their base class and hands them back to us.
struct VirtualTable : sqlite3_vtab {
  const Module* module;
};
struct Cursor : sqlite3_vtab_cursor {
  std::unique_ptr<Rows> rows;
  bool at_end = true;
};

int fail_with(sqlite3_vtab* table, const Error& error) {
  sqlite3_free(table->zErrMsg);
  table->zErrMsg = sqlite3_mprintf("%s", error.text.c_str());
  if (error.code == Errc::corrupt || error.code == Errc::unsupported) return SQLITE_CORRUPT_VTAB;
  return error.code == Errc::storage ? SQLITE_IOERR : SQLITE_ERROR;
}

/// No exception may pass through SQLite's C code.
template <class Body>
int guarded(Body&& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    return SQLITE_NOMEM;
  } catch (const std::exception&) {
    return SQLITE_INTERNAL;
  }
}

const char* type_name(ColumnType type) {
  switch (type) {
    case ColumnType::text:
      return "TEXT";
    case ColumnType::integer:
      return "INTEGER";
    case ColumnType::real:
      return "REAL";
  }
  return "";
}

int connect(sqlite3* connection, void* aux, int, const char* const*, sqlite3_vtab** out, char** message) {
  return guarded([&] {
    const auto* module = static_cast<const Module*>(aux);
    std::string declaration = "CREATE TABLE x(";
    for (const Column& column : module->table->columns) {
      if (!declaration.ends_with('(')) declaration += ", ";
      declaration += fmt::format("\"{}\" {}", column.name, type_name(column.type));
      if (column.hidden) declaration += " HIDDEN";
    }
    declaration += ")";
    const int status = sqlite3_declare_vtab(connection, declaration.c_str());
    if (status != SQLITE_OK) {
      *message = sqlite3_mprintf("%s", sqlite3_errmsg(connection));
      return status;
    }
    sqlite3_vtab_config(connection, SQLITE_VTAB_INNOCUOUS);
    auto* table = new VirtualTable{};
    table->module = module;
    *out = table;
    return SQLITE_OK;
  });
}

int disconnect(sqlite3_vtab* table) {
  delete static_cast<VirtualTable*>(table);
  return SQLITE_OK;
}

char op_letter(unsigned char op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return '=';
    case SQLITE_INDEX_CONSTRAINT_GT:
    case SQLITE_INDEX_CONSTRAINT_GE:
      return '>';
    case SQLITE_INDEX_CONSTRAINT_LT:
    case SQLITE_INDEX_CONSTRAINT_LE:
      return '<';
    default:
      return 0;
  }
}

/// The plan travels to `filter` as idxNum = lookup + 1, plus 16 when descending, and idxStr = a letter per
/// argument.
constexpr int descending_bit = 16;

void choose_equality(sqlite3_index_info* info, std::size_t lookup, const Lookup& chosen, int constraint) {
  info->idxNum = static_cast<int>(lookup) + 1;
  info->aConstraintUsage[constraint].argvIndex = 1;
  const bool unique = chosen.kind == Lookup::Kind::unique;
  info->estimatedRows = unique ? 1 : 10;
  info->estimatedCost = unique ? 10 : 50;
  if (unique) info->idxFlags |= SQLITE_INDEX_SCAN_UNIQUE;
}

int usable_equality(sqlite3_index_info* info, int column) {
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (constraint.usable && constraint.iColumn == column && constraint.op == SQLITE_INDEX_CONSTRAINT_EQ &&
        std::string_view(sqlite3_vtab_collation(info, i)) == "BINARY")
      return i;
  }
  return -1;
}

std::string choose_range(sqlite3_index_info* info, std::size_t lookup, const Lookup& chosen,
                         double all_rows) {
  std::string letters;
  double share = 1;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const char letter = op_letter(constraint.op);
    if (!constraint.usable || constraint.iColumn != chosen.column || letter == 0) continue;
    letters += letter;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(letters.size());
    share *= letter == '=' ? 1e-9 : 0.25;
  }
  const bool ordered = info->nOrderBy == 1 && info->aOrderBy[0].iColumn == chosen.column;
  if (letters.empty() && !ordered) return letters;
  info->idxNum = static_cast<int>(lookup) + 1;
  info->estimatedCost = std::max(1.0, all_rows * share);
  info->estimatedRows = static_cast<sqlite3_int64>(info->estimatedCost);
  if (ordered) {
    info->orderByConsumed = 1;
    if (info->aOrderBy[0].desc) info->idxNum |= descending_bit;
  }
  return letters;
}

int best_index(sqlite3_vtab* base, sqlite3_index_info* info) {
  return guarded([&] {
    const Table& table = *static_cast<VirtualTable*>(base)->module->table;
    info->idxNum = 0;
    info->estimatedCost = table.typical_rows;
    info->estimatedRows = static_cast<sqlite3_int64>(table.typical_rows);
    std::string letters;
    for (std::size_t i = 0; i < table.lookups.size() && info->idxNum == 0; ++i) {
      const Lookup& lookup = table.lookups[i];
      if (lookup.kind == Lookup::Kind::range) {
        letters = choose_range(info, i, lookup, table.typical_rows);
      } else if (const int constraint = usable_equality(info, lookup.column); constraint >= 0) {
        choose_equality(info, i, lookup, constraint);
        letters = "=";
      }
    }
    info->idxStr = sqlite3_mprintf("%s", letters.c_str());
    info->needToFreeIdxStr = 1;
    return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
  });
}

int open_cursor(sqlite3_vtab*, sqlite3_vtab_cursor** out) {
  return guarded([&] {
    *out = new Cursor{};
    return SQLITE_OK;
  });
}

int close_cursor(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

int next_row(sqlite3_vtab_cursor* base) {
  return guarded([&] {
    auto* cursor = static_cast<Cursor*>(base);
    const auto more = cursor->rows->next();
    if (!more) return fail_with(cursor->pVtab, more.error());
    cursor->at_end = !*more;
    return SQLITE_OK;
  });
}

/// Narrows the bounds as far as the value says something; SQLite checks each row again.
void narrow(Filter& filter, char letter, sqlite3_value* value) {
  const int type = sqlite3_value_type(value);
  std::int64_t low = 0, high = 0;
  if (type == SQLITE_INTEGER) {
    low = high = sqlite3_value_int64(value);
  } else if (type == SQLITE_FLOAT && std::fabs(sqlite3_value_double(value)) < 9e18) {
    low = static_cast<std::int64_t>(std::floor(sqlite3_value_double(value)));
    high = static_cast<std::int64_t>(std::ceil(sqlite3_value_double(value)));
  } else {
    return;
  }
  if (letter != '<') filter.low = std::max(filter.low, low);
  if (letter != '>') filter.high = std::min(filter.high, high);
}

int filter_rows(sqlite3_vtab_cursor* base, int plan, const char* letters, int count, sqlite3_value** values) {
  const int status = guarded([&] {
    auto* cursor = static_cast<Cursor*>(base);
    const Module& module = *static_cast<VirtualTable*>(cursor->pVtab)->module;
    Filter filter;
    filter.lookup = (plan & (descending_bit - 1)) - 1;
    filter.descending = (plan & descending_bit) != 0;
    const bool range =
        filter.lookup >= 0 &&
        module.table->lookups[static_cast<std::size_t>(filter.lookup)].kind == Lookup::Kind::range;
    for (int i = 0; i < count; ++i) {
      if (range) {
        narrow(filter, letters[i], values[i]);
      } else if (sqlite3_value_type(values[i]) == SQLITE_TEXT) {
        const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[i]));
        filter.key.emplace(text, static_cast<std::size_t>(sqlite3_value_bytes(values[i])));
      }
    }
    Result<std::unique_ptr<Rows>> rows = module.table->open(*module.snapshot, filter);
    if (!rows) return fail_with(cursor->pVtab, rows.error());
    cursor->rows = std::move(*rows);
    return SQLITE_OK;
  });
  return status == SQLITE_OK ? next_row(base) : status;
}

int at_end(sqlite3_vtab_cursor* cursor) { return static_cast<Cursor*>(cursor)->at_end; }

int read_column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  return guarded([&] {
    auto* cursor = static_cast<Cursor*>(base);
    const auto value = cursor->rows->column(index);
    if (!value) return fail_with(cursor->pVtab, value.error());
    if (const auto* text = std::get_if<std::string_view>(&*value))
      sqlite3_result_text64(context, text->data(), text->size(), SQLITE_TRANSIENT, SQLITE_UTF8);
    else if (const auto* integer = std::get_if<std::int64_t>(&*value))
      sqlite3_result_int64(context, *integer);
    else if (const auto* real = std::get_if<double>(&*value))
      sqlite3_result_double(context, *real);
    else
      sqlite3_result_null(context);
    return SQLITE_OK;
  });
}

int read_row_id(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
  *out = static_cast<Cursor*>(cursor)->rows->row_id();
  return SQLITE_OK;
}

const sqlite3_module callbacks = [] {
  sqlite3_module module{};  // without xCreate: the table exists under the module's name alone
  module.xConnect = connect;
  module.xDisconnect = disconnect;
  module.xBestIndex = best_index;
  module.xOpen = open_cursor;
  module.xClose = close_cursor;
  module.xFilter = filter_rows;
  module.xNext = next_row;
  module.xEof = at_end;
  module.xColumn = read_column;
  module.xRowid = read_row_id;
  return module;
}();

}  // namespace

bool add_module(sqlite3* connection, Module* module) {
  const std::string name(module->table->name);
  return sqlite3_create_module_v2(connection, name.c_str(), &callbacks, module, nullptr) == SQLITE_OK;
}

}  // namespace bidboard::query
