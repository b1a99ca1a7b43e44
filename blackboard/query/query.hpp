// SQL over a board: tables that read one Snapshot as the query asks for rows, by SQLite. Only SELECT is
// possible: nothing can be changed, opened or loaded; time and memory are bounded. For one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "blackboard/result.hpp"
#include "blackboard/store/store.hpp"
#include "blackboard/time.hpp"

namespace bidboard {

/// NULL, integer, real or text. A text is good until the next row.
using SqlValue = std::variant<std::monostate, std::int64_t, double, std::string_view>;

struct QueryLimits {
  Duration time = seconds(5);           ///< of one statement, its rows' delivery included
  std::int32_t value_bytes = 16 << 20;  ///< of one value or row
  bool (*stopped)() = nullptr;          ///< asked now and then; true ends the statement
};

/// A whole answer, for results known to be small.
struct QueryTable {
  using Cell = std::variant<std::monostate, std::int64_t, double, std::string>;
  std::vector<std::string> columns;
  std::vector<std::vector<Cell>> rows;
};

class Query {
 public:
  /// Whether the text ends in a `;` that is not inside quotes or a comment.
  static bool ends_statement(const std::string& text);

  /// REQUIRES: the snapshot outlives the query. Errors: failed.
  static Result<Query> open(const Snapshot& snapshot, const QueryLimits& limits = {});
  ~Query();
  Query(Query&&) noexcept;
  Query& operator=(Query&&) noexcept;

  struct Sink {
    /// Called once, before the first row.
    std::function<void(const std::vector<std::string>& names)> columns;
    /// False: enough, no further rows.
    std::function<bool(std::span<const SqlValue> row)> row;
  };
  /// Runs one SELECT. Errors: invalid (SQLite's words, and the nearest known name for an unknown column or
  /// table), refused (not a SELECT), timed_out, corrupt (a record that does not decode), storage
  /// (the store could not be read), failed (out of memory).
  Result<void> run(std::string_view sql, const Sink& sink);
  Result<QueryTable> run(std::string_view sql);

  /// The ids of the rows of `table` for which the SQL expression `where` holds, in the order of the ids: for
  /// `--where`. Errors: as run; invalid when the table has no ids.
  Result<std::vector<std::string>> ids_where(std::string_view table, std::string_view where);

  /// CREATE TABLE statements with a comment per column: for `.schema` and the documentation.
  static std::string schema();

 private:
  struct Impl;
  explicit Query(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace bidboard
