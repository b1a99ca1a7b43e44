// search: text in tasks and in what was found on the way.
#include "runtime/shell/board_search.hpp"
#include "runtime/shell/commands.hpp"

namespace bidboard {
namespace {

struct SearchArgs {
  std::vector<std::string> words;
  std::int64_t at = 0;
  bool json = false;
};

Result<Exit> search_board(const Globals& globals, const SearchArgs& args) {
  const Result<BoardView> board = BoardView::open_at(globals, args.at);
  if (!board) return fail(board.error());
  const Result<std::vector<Hit>> hits = find_text(*board, args.words);
  if (!hits) return fail(hits.error());
  if (args.json) {
    Value list{Value::Array{}};
    for (const Hit& hit : *hits) {
      Value item{Value::Object{}};
      item.set("task", hit.id);
      item.set("state", hit.state);
      item.set("where", hit.where);
      item.set("text", hit.line);
      list.push(std::move(item));
    }
    print_json(std::move(list));
    return hits->empty() ? Exit::not_found : Exit::ok;
  }
  Table table({"TASK", "STATE", "WHERE", "TEXT"});
  for (const Hit& hit : *hits) table.add({hit.id, hit.state, hit.where, hit.line});
  if (table.empty()) {
    hint("Nothing on the board has that text.");
    return Exit::not_found;
  }
  table.print();
  return Exit::ok;
}

}  // namespace

Command search_command() {
  return {"search",
          "Insight",
          "Find text in titles, bodies, commands, reasons, results, comments and discoveries",
          "Finds texts that have all the words, in any order; capital letters of ASCII do not count.\n"
          "Exits 3 if nothing is found.",
          {{"bidboard search login timeout", "texts that have both words"},
           {"bidboard search \"connection refused\" --json", "one text with a space in it"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<SearchArgs>();
            o.arguments("WORD", args->words, "What to look for");
            o.integer("--at", args->at, "SEQ", "As it was after this event of the log; 0: now");
            o.flag("--json", args->json, "Print JSON");
            return [args](const Globals& globals) { return search_board(globals, *args); };
          }};
}

}  // namespace bidboard
