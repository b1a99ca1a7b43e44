// What a table of the query language is, without SQLite: columns, the lookups it can do by key, and passes
// over its rows.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "blackboard/ids.hpp"
#include "blackboard/query/query.hpp"

namespace bidboard::query {

enum class ColumnType : std::uint8_t { text, integer, real };

struct Column {
  std::string_view name;
  ColumnType type;
  std::string_view doc;
  bool hidden = false;  ///< can be asked for, is not part of `*`
};

/// How rows are found without visiting all.
struct Lookup {
  int column;
  enum class Kind : std::uint8_t {
    unique,  ///< by equality, one row at most
    some,    ///< by equality, a few rows
    range,   ///< an integer between bounds; rows come in its order, either way
  } kind;
};

/// What SQLite asks of one pass. Every condition is checked again by SQLite: a pass may deliver too much,
/// never too little.
struct Filter {
  int lookup = -1;                 ///< position in Table::lookups, or -1: all rows
  std::optional<std::string> key;  ///< of an equality lookup; nothing: no row can match
  std::int64_t low = INT64_MIN;    ///< of a range lookup, inclusive
  std::int64_t high = INT64_MAX;
  bool descending = false;  ///< of a range lookup
};

/// One pass over rows. Views given out are valid until the next call.
class Rows {
 public:
  virtual ~Rows() = default;
  /// Moves to the first or next row; false when there is none. Errors: corrupt, storage.
  virtual Result<bool> next() = 0;
  /// REQUIRES: the last next() said true.
  virtual Result<SqlValue> column(int index) = 0;
  virtual std::int64_t row_id() const = 0;
};

struct Table {
  std::string_view name;
  std::string_view doc;
  std::vector<Column> columns;
  std::vector<Lookup> lookups;  ///< best first
  double typical_rows;          ///< on a large board: lets the planner begin joins at the small side
  /// Errors: as Snapshot::get.
  Result<std::unique_ptr<Rows>> (*open)(const Snapshot&, const Filter&);
};

const std::vector<Table>& tables();

Table tasks_table();
Table dependencies_table();
Table agents_table();
Table auctions_table();
Table bids_table();
Table discoveries_table();
Table comments_table();
Table workflows_table();
Table calibration_table();
Table breakers_table();
Table spending_table();
Table log_table();

// Cells.

inline SqlValue null_value() { return std::monostate{}; }
inline SqlValue real_time(std::int64_t wall_us) {
  if (wall_us == 0) return null_value();
  return static_cast<double>(wall_us) / 1e6;
}
inline SqlValue text_or_null(std::string_view text) {
  if (text.empty()) return null_value();
  return text;
}

/// Room for texts that are made up for one cell.
class Scratch {
 public:
  std::string_view keep(std::string text) {
    text_ = std::move(text);
    return text_;
  }
  template <class IdType>
  SqlValue id(IdType id) {
    if (!id) return null_value();
    return keep(to_string(id));
  }

 private:
  std::string text_;
};

/// Agents by the name that people know them by, so that every such column joins agents.name. Each is looked
/// up once; without a readable record it is its id.
class AgentNames {
 public:
  explicit AgentNames(const Snapshot& snapshot) : snapshot_(snapshot) {}
  SqlValue of(AgentId agent);

 private:
  const Snapshot& snapshot_;
  std::map<AgentId, std::string> known_;  ///< views into it stay good
};

}  // namespace bidboard::query
