#include "blackboard/query/query.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <deque>

#include "blackboard/fmt.hpp"
#include "blackboard/query/sqlite_module.hpp"
#include "blackboard/query/table.hpp"
#include "blackboard/text/document.hpp"

namespace bidboard {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int max_sql_bytes = 256 * 1024;
/// SQLite's memory, for sorting and grouping; it counts for the whole process, which uses SQLite for queries
/// only.
constexpr sqlite3_int64 max_heap_bytes = sqlite3_int64{1} << 30;
/// Sorts of up to 256 MB stay in one piece of memory, larger ones go through a temporary file. (With
/// temp_store = MEMORY every row of a sort is allocated alone: grouping a million rows took twice as long.)
constexpr const char* sort_in_memory = "PRAGMA cache_size = -262144";
/// Virtual machine instructions between two looks at the clock.
constexpr int steps_per_check = 5'000;

struct CloseConnection {
  void operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }
};
struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

/// Permits what a SELECT does, and nothing else.
int authorize(void*, int action, const char*, const char* detail, const char*, const char*) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    case SQLITE_FUNCTION:
      return detail && sqlite3_stricmp(detail, "load_extension") == 0 ? SQLITE_DENY : SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

std::string tables_in_words() {
  std::string words;
  for (const query::Table& table : query::tables())
    words += (words.empty() ? "" : ", ") + std::string(table.name);
  return words;
}

bool mentions(std::string_view sql, std::string_view name) { return sql.find(name) != sql.npos; }

/// The name behind `prefix` in SQLite's message, without the table before it.
std::string_view named_in(std::string_view message, std::string_view prefix) {
  const auto at = message.find(prefix);
  if (at == message.npos) return {};
  std::string_view name = message.substr(at + prefix.size());
  if (const auto dot = name.rfind('.'); dot != name.npos) name.remove_prefix(dot + 1);
  return name;
}

std::string column_hint(std::string_view sql, std::string_view unknown) {
  if (mentions(sql, fmt::format("\"{}\"", unknown)))
    return fmt::format("; text goes in single quotes: '{}'", unknown);
  std::vector<std::string> candidates;
  std::string all;
  for (const query::Table& table : query::tables()) {
    if (!mentions(sql, table.name)) continue;
    all += fmt::format("; {} has ", table.name);
    for (const query::Column& column : table.columns) {
      candidates.emplace_back(column.name);
      all += (all.ends_with("has ") ? "" : ", ") + std::string(column.name);
    }
  }
  const std::string near = nearest(unknown, candidates);
  return near.empty() ? all : fmt::format("; did you mean '{}'?", near);
}

std::string table_hint(std::string_view unknown) {
  std::vector<std::string> candidates;
  for (const query::Table& table : query::tables()) candidates.emplace_back(table.name);
  const std::string near = nearest(unknown, candidates);
  return near.empty() ? "; the tables are " + tables_in_words() : fmt::format("; did you mean '{}'?", near);
}

/// What the connection asks between its steps.
struct Patience {
  Clock::time_point deadline;
  bool (*stopped)() = nullptr;
  bool was_stopped = false;
};

int must_end(void* given) {
  Patience& patience = *static_cast<Patience*>(given);
  if (patience.stopped && patience.stopped()) patience.was_stopped = true;
  return patience.was_stopped || Clock::now() >= patience.deadline;
}

SqlValue cell(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    case SQLITE_NULL:
      return std::monostate{};
    default: {
      const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
      return std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)));
    }
  }
}

}  // namespace

struct Query::Impl {
  QueryLimits limits;
  Patience patience;
  std::deque<query::Module> modules;  // SQLite keeps pointers to them, so the connection goes first
  std::unique_ptr<sqlite3, CloseConnection> connection;

  Error error(int status, std::string_view sql) const;
  Result<Statement> prepare(std::string_view sql);
  Result<void> configure();
  Result<void> connect_tables();
};

Error Query::Impl::error(int status, std::string_view sql) const {
  std::string message = sqlite3_errmsg(connection.get());
  switch (status & 0xff) {
    case SQLITE_INTERRUPT:
      if (patience.was_stopped) return {Errc::failed, "interrupted"};
      return {Errc::timed_out,
              fmt::format("the query took longer than {}; ask for less, for example by id, task or seq",
                          limits.time)};
    case SQLITE_AUTH:
      return {Errc::refused, fmt::format("only SELECT is possible here ({})", message)};
    case SQLITE_NOMEM:
      return {Errc::failed, "the query needs too much memory; ask for less"};
    case SQLITE_CORRUPT:
      return {Errc::corrupt, message + "; run bidboard doctor"};
    case SQLITE_IOERR:
      return {Errc::storage, message};
    default:
      break;
  }
  if (message.ends_with("may not be modified"))
    return {Errc::refused, fmt::format("only SELECT is possible here ({})", message)};
  if (const auto column = named_in(message, "no such column: "); !column.empty())
    message += column_hint(sql, column);
  else if (const auto table = named_in(message, "no such table: "); !table.empty())
    message += table_hint(table);
  else if (const int offset = sqlite3_error_offset(connection.get()); offset >= 0)
    message += fmt::format(" (at character {})", offset + 1);
  return {Errc::invalid, message};
}

Result<Statement> Query::Impl::prepare(std::string_view sql) {
  if (sql.size() > static_cast<std::size_t>(max_sql_bytes))
    return fail(Errc::invalid, fmt::format("the query has more than {} KB", max_sql_bytes / 1024));
  sqlite3_stmt* statement = nullptr;
  const char* rest = nullptr;
  const int status =
      sqlite3_prepare_v2(connection.get(), sql.data(), static_cast<int>(sql.size()), &statement, &rest);
  Statement first(statement);
  if (status != SQLITE_OK) return fail(error(status, sql));
  if (!first) return fail(Errc::invalid, "the query is empty; write for example SELECT * FROM tasks");
  // What follows may be spaces and comments, which prepare to nothing.
  const std::size_t used = static_cast<std::size_t>(rest - sql.data());
  const int rest_status =
      sqlite3_prepare_v2(connection.get(), rest, static_cast<int>(sql.size() - used), &statement, nullptr);
  const Statement second(statement);
  if (rest_status != SQLITE_OK || second || sql.find('\0') != sql.npos)
    return fail(Errc::invalid, "more than one statement; ask them one at a time");
  if (!sqlite3_stmt_readonly(first.get()) || sqlite3_column_count(first.get()) == 0)
    return fail(Errc::refused, "only SELECT is possible here");
  return first;
}

/// A table declares itself when it is first named, by a CREATE that the authorizer would refuse.
Result<void> Query::Impl::connect_tables() {
  std::vector<std::string> names{"json_each", "json_tree"};
  for (const query::Table& table : query::tables()) names.emplace_back(table.name);
  for (const std::string& name : names)
    if (const auto named = prepare("SELECT 1 FROM " + name); !named) return fail(named.error());
  return {};
}

Result<void> Query::Impl::configure() {
  sqlite3* const db = connection.get();
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Makes a misspelt column in double quotes an error, not a text.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, limits.value_bytes);
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, max_sql_bytes);
  sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 200);
  sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 100);
  sqlite3_limit(db, SQLITE_LIMIT_FUNCTION_ARG, 100);
  sqlite3_limit(db, SQLITE_LIMIT_COLUMN, 500);
  sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1'000);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
  if (sqlite3_exec(db, sort_in_memory, nullptr, nullptr, nullptr) != SQLITE_OK)
    return fail(Errc::failed, std::string("SQLite: ") + sqlite3_errmsg(db));
  for (query::Module& module : modules)
    if (!query::add_module(db, &module)) return fail(Errc::failed, "SQLite: out of memory");
  if (const auto connected = connect_tables(); !connected) return fail(connected.error());
  sqlite3_set_authorizer(db, authorize, nullptr);
  sqlite3_progress_handler(db, steps_per_check, must_end, &patience);
  return {};
}

Result<Query> Query::open(const Snapshot& snapshot, const QueryLimits& limits) {
  sqlite3_hard_heap_limit64(max_heap_bytes);
  auto impl = std::make_unique<Impl>();
  impl->limits = limits;
  for (const query::Table& table : query::tables()) impl->modules.push_back({&table, &snapshot});
  sqlite3* connection = nullptr;
  const int status = sqlite3_open_v2(
      ":memory:", &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, nullptr);
  impl->connection.reset(connection);
  if (status != SQLITE_OK) return fail(Errc::failed, "SQLite cannot be started");
  if (const auto configured = impl->configure(); !configured) return fail(configured.error());
  return Query(std::move(impl));
}

Query::Query(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Query::~Query() = default;
Query::Query(Query&&) noexcept = default;
Query& Query::operator=(Query&&) noexcept = default;

Result<void> Query::run(std::string_view sql, const Sink& sink) {
  impl_->patience = {Clock::now() + std::chrono::microseconds(impl_->limits.time.us), impl_->limits.stopped};
  const auto statement = impl_->prepare(sql);
  if (!statement) return fail(statement.error());
  std::vector<std::string> names;
  const int columns = sqlite3_column_count(statement->get());
  for (int i = 0; i < columns; ++i) {
    const char* name = sqlite3_column_name(statement->get(), i);
    names.emplace_back(name ? name : "");
  }
  if (sink.columns) sink.columns(names);
  std::vector<SqlValue> row(names.size());
  while (true) {
    const int status = sqlite3_step(statement->get());
    if (status == SQLITE_DONE) return {};
    if (status != SQLITE_ROW) return fail(impl_->error(status, sql));
    for (int i = 0; i < columns; ++i) row[static_cast<std::size_t>(i)] = cell(statement->get(), i);
    if (sink.row && !sink.row(row)) return {};
  }
}

Result<QueryTable> Query::run(std::string_view sql) {
  QueryTable table;
  const auto done =
      run(sql, {[&](const std::vector<std::string>& names) { table.columns = names; },
                [&](std::span<const SqlValue> row) {
                  auto& copy = table.rows.emplace_back();
                  for (const SqlValue& value : row)
                    copy.push_back(std::visit(
                        [](const auto& v) -> QueryTable::Cell {
                          if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::string_view>)
                            return std::string(v);
                          else
                            return v;
                        },
                        value));
                  return true;
                }});
  if (!done) return fail(done.error());
  return table;
}

bool Query::ends_statement(const std::string& text) { return sqlite3_complete(text.c_str()) != 0; }

Result<std::vector<std::string>> Query::ids_where(std::string_view table, std::string_view where) {
  const auto& all = query::tables();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const query::Table& candidate) { return candidate.name == table; });
  if (found == all.end() || found->columns[0].name != "id")
    return fail(Errc::invalid, fmt::format("no table with ids is called '{}'", table));
  // The line break ends a comment that the expression may end in.
  const std::string sql = fmt::format("SELECT id FROM {} WHERE ({}\n) ORDER BY rowid", table, where);
  std::vector<std::string> ids;
  const auto done = run(sql, {nullptr, [&](std::span<const SqlValue> row) {
                                if (const auto* id = std::get_if<std::string_view>(&row[0]))
                                  ids.emplace_back(*id);
                                return true;
                              }});
  if (!done) return fail(done.error());
  return ids;
}

std::string Query::schema() {
  std::string out;
  for (const query::Table& table : query::tables()) {
    if (!out.empty()) out += '\n';
    out += fmt::format("-- {}\nCREATE TABLE {} (\n", table.doc, table.name);
    for (const query::Column& column : table.columns) {
      constexpr std::string_view types[] = {"TEXT", "INTEGER", "REAL"};
      std::string line = fmt::format("  {} {}", column.name, types[static_cast<int>(column.type)]);
      if (&column != &table.columns.back()) line += ',';
      out += fmt::format("{}{}-- {}{}", line, std::string(line.size() < 28 ? 28 - line.size() : 1, ' '),
                         column.doc, (column.hidden ? " (not part of *)\n" : "\n"));
    }
    out += ");\n";
  }
  return out;
}

}  // namespace bidboard
