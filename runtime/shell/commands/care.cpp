// doctor, backup: keeping a board well.
#include <cstdio>
#include <filesystem>

#include "blackboard/lmdb_store.hpp"
#include "runtime/doctor.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

Result<Exit> doctor(const Globals& globals, bool deep, bool json) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  const Result<std::vector<Symptom>> findings = examine(*board, deep);
  if (!findings) return fail(findings.error());
  bool grave = false;
  Value list{Value::Array{}};
  for (const Symptom& finding : *findings) {
    grave = grave || finding.grave;
    Value item{Value::Object{}};
    item.set("grave", finding.grave);
    item.set("text", finding.text);
    list.push(std::move(item));
    if (!json)
      std::printf("%s %s\n",
                  finding.grave ? coloured(Colour::red, "damaged:").c_str()
                                : coloured(Colour::yellow, "note:").c_str(),
                  finding.text.c_str());
  }
  if (json)
    print_json(std::move(list));
  else if (!grave)
    std::puts(deep ? "The board is whole: its records are what its log says."
                   : "The board is whole. `--deep` also replays its log.");
  return grave ? Exit::failed : Exit::ok;
}

Result<Exit> backup(const Globals& globals, const std::string& target) {
  namespace fs = std::filesystem;
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  const fs::path folder = fs::path(target) / board_folder;
  if (fs::exists(folder / "data.mdb"))
    return fail(Errc::conflict, "there is a board in " + target + " already; choose another folder");
  const Result<BoardDirectory> copy = make_board_folder(target);
  if (!copy) return fail(copy.error());
  if (const Result<void> copied = copy_store(board->path, copy->path); !copied) return fail(copied.error());
  std::error_code error;
  // The same key: awards that are live in the copy can still be finished with it.
  fs::copy_file(board->secret_file(), copy->secret_file(), fs::copy_options::overwrite_existing, error);
  fs::copy_file(board->home() + "/bidboard.yaml", fs::path(target) / "bidboard.yaml", error);
  std::printf("Copied to %s. It is a board like any other: bidboard -C %s tasks\n", target.c_str(),
              target.c_str());
  return Exit::ok;
}

}  // namespace

Command doctor_command() {
  return {"doctor",
          "Board",
          "Look the board over and name what is wrong with it",
          "Exits 1 when something is damaged.",
          {{"bidboard doctor --deep", "also prove that the records are what the log says"}},
          [](Options& o) -> Action0 {
            auto deep = std::make_shared<bool>(false);
            auto json = std::make_shared<bool>(false);
            o.flag("--deep", *deep, "Replay the whole log and compare");
            o.flag("--json", *json, "Print JSON");
            return [deep, json](const Globals& globals) { return doctor(globals, *deep, *json); };
          }};
}

Command backup_command() {
  return {"backup",
          "Board",
          "Copy the board, as it is at this moment, into another folder",
          "Works while a controller serves. What tasks printed is not copied.",
          {{"bidboard backup ~/backups/monday", "a board of its own; bidboard -C ~/backups/monday tasks"}},
          [](Options& o) -> Action0 {
            auto target = std::make_shared<std::string>();
            o.argument("DIR", *target, "A folder without a board");
            return [target](const Globals& globals) { return backup(globals, *target); };
          }};
}

}  // namespace bidboard
