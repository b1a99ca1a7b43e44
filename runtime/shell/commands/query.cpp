// query: SQL over the board, one statement or a prompt.
#include <histedit.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "blackboard/board/verify.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/query/query.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct QueryArgs {
  std::string sql;
  std::int64_t at = 0;
  bool csv = false;
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

/// RFC 4180.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

void print_csv_line(const std::vector<std::string>& fields) {
  for (std::size_t i = 0; i < fields.size(); ++i)
    std::printf("%s%s", i ? "," : "", csv_field(fields[i]).c_str());
  std::fputs("\r\n", stdout);
}

std::vector<std::string> texts_of(std::span<const SqlValue> row) {
  std::vector<std::string> fields;
  for (const SqlValue& value : row) fields.push_back(cell_text(value));
  return fields;
}

Result<void> print_as_table(Query& query, const std::string& sql) {
  std::optional<Table> table;
  const Result<void> ran =
      query.run(sql, {[&](const std::vector<std::string>& names) { table.emplace(names); },
                      [&](std::span<const SqlValue> row) {
                        table->add(texts_of(row));
                        return true;
                      }});
  if (ran && table) table->print();
  return ran;
}

Result<void> print_as_csv(Query& query, const std::string& sql) {
  return query.run(sql, {print_csv_line, [](std::span<const SqlValue> row) {
                           print_csv_line(texts_of(row));
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

/// `.schema`, `.schema TABLE`, `.tables`: the tables and their columns.
Result<void> print_schema(const std::string& words) {
  const std::string table = words.starts_with(".schema ") ? words.substr(8) : std::string();
  if (table.empty() && words != ".schema" && words != ".tables")
    return fail(Errc::invalid,
                fmt::format("unknown command '{}'; use .schema [TABLE], .tables or .quit", words));
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
      std::fputs((words == ".tables" ? name + "\n" : statement).c_str(), stdout);
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
  Result<Query> query = Query::open(snapshot, limits);
  if (!query) return fail(query.error());
  if (args.csv) return print_as_csv(*query, sql);
  if (args.json) return print_as_json(*query, sql);
  return print_as_table(*query, sql);
}

/// One statement on the board as it is now, or as it was.
Result<void> run_now(const BoardDirectory& directory, const QueryArgs& args, const std::string& sql) {
  Result<BoardView> board = BoardView::open(directory);
  if (!board) return fail(board.error());
  if (args.at == 0) return run_statement(board->snapshot(), args, sql);
  if (args.at < 0 || Seq{static_cast<std::uint64_t>(args.at)} > board->snapshot().last_seq())
    return fail(Errc::not_found, fmt::format("--at must be an event number up to {}, the last one",
                                             board->snapshot().last_seq()));
  const auto past = replay(board->snapshot(), {static_cast<std::uint64_t>(args.at)});
  if (!past) return fail(past.error());
  return run_statement(**past, args, sql);
}

const char* prompt_text(EditLine*) { return "bidboard> "; }

/// Lines until the end of input; history in ~/.bidboard_history.
void run_prompt(const BoardDirectory& directory, const QueryArgs& args) {
  const char* home = std::getenv("HOME");
  const std::string history_file = home ? fmt::format("{}/.bidboard_history", home) : "";
  History* history = ::history_init();
  HistEvent event;
  ::history(history, &event, H_SETSIZE, 1000);
  if (!history_file.empty()) ::history(history, &event, H_LOAD, history_file.c_str());
  EditLine* editor = ::el_init("bidboard", stdin, stdout, stderr);
  ::el_set(editor, EL_PROMPT, prompt_text);
  ::el_set(editor, EL_EDITOR, "emacs");
  ::el_set(editor, EL_HIST, ::history, history);
  std::puts("SQL over the board. .tables lists tables, .schema [TABLE] shows columns, .quit or Ctrl-D ends.");
  std::string statement;
  int length = 0;
  while (const char* line = ::el_gets(editor, &length)) {
    std::string text(line, static_cast<std::size_t>(length));
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ' || text.back() == ';'))
      text.pop_back();
    if (text.empty()) continue;
    ::history(history, &event, H_ENTER, text.c_str());
    if (text == ".quit" || text == ".exit") break;
    if (const Result<void> ran = run_now(directory, args, text); !ran) report(ran.error());
  }
  if (!history_file.empty()) ::history(history, &event, H_SAVE, history_file.c_str());
  ::el_end(editor);
  ::history_end(history);
}

Result<Exit> query(const Globals& globals, const QueryArgs& args) {
  if (args.csv && args.json) return fail(Errc::invalid, "use only one of --csv and --json");
  const Result<BoardDirectory> directory = find_board(globals.directory);
  if (!directory) return fail(directory.error());
  if (args.sql.empty()) {
    run_prompt(*directory, args);
    return Exit::ok;
  }
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
        o.flag("--json", args->json, "Print JSON");
        o.duration("--time-limit", args->time_limit, "TIME", "Give up after this long");
        return [args](const Globals& globals) { return query(globals, *args); };
      }};
}

}  // namespace bidboard
