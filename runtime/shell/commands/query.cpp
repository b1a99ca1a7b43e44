// query: SQL over the board, one statement or a prompt.
#include <cstdlib>
#include <sstream>

#include "blackboard/fmt.hpp"
#include "blackboard/query/query.hpp"
#include "blackboard/text/csv.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"
#include "runtime/shell/sql_prompt.hpp"

namespace bidboard {
namespace {

struct QueryArgs {
  std::string sql;
  std::int64_t at = 0;
  bool csv = false;
  bool excel = false;
  bool json = false;
  Duration time_limit = seconds(5);
};

std::string cell_text(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return std::to_string(*integer);
  if (const auto* real = std::get_if<double>(&value)) return to_json(Value(*real));
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  return {};
}

Value cell_json(const SqlValue& value) {
  if (const auto* integer = std::get_if<std::int64_t>(&value)) return *integer;
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* text = std::get_if<std::string_view>(&value)) return *text;
  return {};
}

/// The end of a line is CRLF, as in RFC 4180, only with --excel: a shell would keep the CR.
void print_csv_line(const std::vector<std::string>& fields, bool excel) {
  std::string line;
  for (std::size_t i = 0; i < fields.size(); ++i) line += (i ? "," : "") + csv_field(fields[i]);
  write_out(line + (excel ? "\r\n" : "\n"));
}

std::vector<std::string> texts_of(std::span<const SqlValue> row) {
  std::vector<std::string> fields;
  for (const SqlValue& value : row) fields.push_back(cell_text(value));
  return fields;
}

Result<void> print_as_table(Query& query, const std::string& sql) {
  std::optional<Table> table;
  const Result<void> ran = query.run(sql, {[&](const std::vector<std::string>& names) {
                                             table.emplace(std::vector<Shown>(names.begin(), names.end()));
                                           },
                                           [&](std::span<const SqlValue> row) {
                                             const std::vector<std::string> texts = texts_of(row);
                                             table->add({texts.begin(), texts.end()});
                                             return true;
                                           }});
  if (ran && table) table->print();
  return ran;
}

Result<void> print_as_csv(Query& query, const std::string& sql, bool excel) {
  return query.run(sql, {[&](const std::vector<std::string>& names) { print_csv_line(names, excel); },
                         [&](std::span<const SqlValue> row) {
                           print_csv_line(texts_of(row), excel);
                           return true;
                         }});
}

Result<void> print_as_json(Query& query, const std::string& sql) {
  std::vector<std::string> columns;
  Value rows{Value::Array{}};
  const Result<void> ran = query.run(sql, {[&](const std::vector<std::string>& names) { columns = names; },
                                           [&](std::span<const SqlValue> row) {
                                             Value object{Value::Object{}};
                                             for (std::size_t i = 0; i < row.size(); ++i)
                                               object.set(columns[i], cell_json(row[i]));
                                             rows.push(std::move(object));
                                             return true;
                                           }});
  if (ran) print_json(std::move(rows));
  return ran;
}

constexpr const char* prompt_help =
    "A SELECT ends with `;` and may span lines. Ctrl-C drops what is typed, Tab completes names.\n"
    "  .tables           list the tables\n"
    "  .schema [TABLE]   show columns and what they mean\n"
    "  .mode MODE        print answers as table, csv or json\n"
    "  .help             print this\n"
    "  .quit             end; Ctrl-D too\n";

/// `.help`, `.schema`, `.schema TABLE`, `.tables`: what there is to ask.
Result<void> print_schema(const std::string& words) {
  if (words == ".help") {
    write_out(prompt_help);
    return {};
  }
  const std::string table = words.starts_with(".schema ") ? words.substr(8) : std::string();
  if (table.empty() && words != ".schema" && words != ".tables")
    return fail(Errc::invalid, fmt::format("unknown command '{}'; .help lists the commands", words));
  constexpr std::string_view begin = "CREATE TABLE ";
  std::istringstream lines(Query::schema());
  std::string statement;  // with the comment before it
  std::string name;
  bool found = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(begin))
      name = line.substr(begin.size(), line.find(' ', begin.size()) - begin.size());
    if (!statement.empty() || !line.empty()) statement += line + "\n";
    if (!line.starts_with(")")) continue;
    if (table.empty() || name == table) {
      found = true;
      write_out(words == ".tables" ? name + "\n" : statement);
    }
    statement.clear();
  }
  if (!found) return fail(Errc::not_found, fmt::format("there is no table '{}'; .tables lists all", table));
  return {};
}

Result<void> run_statement(const Snapshot& snapshot, const QueryArgs& args, const std::string& sql) {
  if (sql.starts_with('.')) return print_schema(sql);
  QueryLimits limits;
  limits.time = args.time_limit;
  limits.stopped = take_interrupt;
  Result<Query> query = Query::open(snapshot, limits);
  if (!query) return fail(query.error());
  if (args.csv) return print_as_csv(*query, sql, args.excel);
  if (args.json) return print_as_json(*query, sql);
  return print_as_table(*query, sql);
}

/// One statement on the board as it is now, or as it was.
Result<void> run_now(const BoardDirectory& directory, const QueryArgs& args, const std::string& sql) {
  const Result<BoardView> board = BoardView::open_at(directory, args.at);
  if (!board) return fail(board.error());
  return run_statement(board->snapshot(), args, sql);
}

/// `.mode table|csv|json`.
Result<void> set_mode(const std::string& mode, QueryArgs& args) {
  if (mode != "table" && mode != "csv" && mode != "json")
    return fail(Errc::invalid, fmt::format("unknown mode '{}'; use table, csv or json", mode));
  args.csv = mode == "csv";
  args.json = mode == "json";
  return {};
}

/// Names of tables and columns, the words of a SELECT, and the prompt's own commands.
std::vector<std::string> words_to_complete() {
  std::vector<std::string> words{".help", ".tables", ".schema", ".mode", ".quit"};
  std::istringstream sql(
      "SELECT DISTINCT FROM WHERE GROUP BY ORDER HAVING LIMIT OFFSET JOIN LEFT ON USING AS AND OR NOT IN IS "
      "NULL LIKE BETWEEN CASE WHEN THEN ELSE END UNION ALL WITH RECURSIVE EXISTS DESC ASC count sum avg min "
      "max total group_concat round length substr instr json_extract");
  for (std::string word; sql >> word;) words.push_back(word);
  std::istringstream schema(Query::schema());
  for (std::string line; std::getline(schema, line);) {
    constexpr std::string_view begin = "CREATE TABLE ";
    const bool table = line.starts_with(begin);
    if (!table && !line.starts_with("  ")) continue;
    const std::string rest = line.substr(table ? begin.size() : 2);
    words.push_back(rest.substr(0, rest.find(' ')));
  }
  return words;
}

Result<Exit> prompt(const BoardDirectory& directory, QueryArgs args) {
  SqlPrompt prompt;
  prompt.run = [&](const std::string& statement) -> Result<void> {
    if (statement.starts_with(".mode ")) return set_mode(statement.substr(6), args);
    return run_now(directory, args, statement);
  };
  prompt.words = words_to_complete();
  prompt.greeting =
      "SQL over the board. End a statement with `;`. .help lists commands, .quit or Ctrl-D ends.";
  if (const char* home = std::getenv("HOME")) prompt.history_file = fmt::format("{}/.bidboard_history", home);
  return run_sql_prompt(prompt);
}

Result<Exit> query(const Globals& globals, const QueryArgs& args) {
  if (args.excel && !args.csv) return fail(Errc::invalid, "--excel belongs to --csv");
  if (args.csv && args.json) return fail(Errc::invalid, "use only one of --csv and --json");
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  if (args.sql.empty()) return prompt(*directory, args);
  const Result<std::string> sql = read_text(args.sql);
  if (!sql) return fail(sql.error());
  if (const Result<void> ran = run_now(*directory, args, *sql); !ran) return fail(ran.error());
  return Exit::ok;
}

}  // namespace

Command query_command() {
  return {
      "query",
      "Insight",
      "Query the board in SQL; without a statement, open a prompt",
      "Any SELECT over the tables that .schema lists. Times are seconds since 1970-01-01 UTC.",
      {{"bidboard query \"SELECT state, count(*) FROM tasks GROUP BY state\"", "number of tasks by state"},
       {"bidboard query \"SELECT agent, avg(seconds) FROM bids GROUP BY agent\" --csv", "for a spreadsheet"},
       {"bidboard query \"SELECT * FROM tasks\" --at 120", "the board as it was after event 120"},
       {"bidboard query .tables", "list the tables; .schema TABLE shows the columns of one"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<QueryArgs>();
        o.argument("SQL", args->sql, "The statement, @FILE, or - for stdin", false);
        o.integer("--at", args->at, "SEQ", "Query the board as it was after this event; 0: now");
        o.flag("--csv", args->csv, "Print CSV");
        o.flag("--excel", args->excel, "With --csv: end lines with CRLF, as RFC 4180 and Excel do");
        o.flag("--json", args->json, "Print JSON");
        o.duration("--time-limit", args->time_limit, "TIME", "Give up after this long");
        return [args](const Globals& globals) { return query(globals, *args); };
      }};
}

}  // namespace bidboard
