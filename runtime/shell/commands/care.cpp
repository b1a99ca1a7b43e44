// doctor, backup, compact: keeping a board well.
#include <cstdio>
#include <filesystem>

#include "blackboard/board/compaction.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "runtime/home/doctor.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

constexpr Duration lock_patience = seconds(5);
constexpr Duration compaction_patience = minutes(60);

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
  if (is_board({(fs::path(target) / board_folder).string()}))
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

/// By the controller while one serves, else here.
Result<CompactionDone> compact_anywhere(const BoardDirectory& board) {
  Writer serving;
  const Result<WriterLock> lock =
      WriterLock::acquire(board, Writer::State::embedded, lock_patience, &serving);
  if (!lock && serving.state == Writer::State::serving) {
    CallOptions options = caller();
    options.patience = compaction_patience;
    return call_for<CompactionDone>(board, Compact{}, options);
  }
  if (!lock) return fail(lock.error());
  const auto store = LmdbStore::open(board.path);
  if (!store) return fail(store.error());
  const Result<Compacted> done = compact(**store);
  if (!done) return fail(done.error());
  return CompactionDone{done->base.seq, done->removed, done->kept};
}

Result<Exit> compact_board(const Globals& globals, bool json) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  const Result<CompactionDone> done = compact_anywhere(*board);
  if (!done) return fail(done.error());
  if (json) {
    Value data{Value::Object{}};
    data.set("base", static_cast<std::int64_t>(done->base.value));
    data.set("removed", static_cast<std::int64_t>(done->removed));
    data.set("kept", static_cast<std::int64_t>(done->kept));
    print_json(std::move(data));
  } else {
    std::printf(
        "Compacted at event %llu: %llu events are gone from the log, %llu that tell of auctions stay.\n",
        static_cast<unsigned long long>(done->base.value), static_cast<unsigned long long>(done->removed),
        static_cast<unsigned long long>(done->kept));
  }
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
  return {
      "backup",
      "Board",
      "Copy the board, as it is at this moment, into another folder",
      "Works while a controller serves. What tasks printed is not copied, nor are keys (`bidboard keys`).",
      {{"bidboard backup ~/backups/monday", "a board of its own; bidboard -C ~/backups/monday tasks"}},
      [](Options& o) -> Action0 {
        auto target = std::make_shared<std::string>();
        o.argument("DIR", *target, "A folder without a board");
        return [target](const Globals& globals) { return backup(globals, *target); };
      }};
}

Command compact_command() {
  return {
      "compact",
      "Board",
      "Make the present the beginning of the log, and drop the log before it",
      "First proves that the board is whole. Afterwards `query --at` reaches back to this moment only; why "
      "tasks were awarded as they were is kept. The file does not shrink, its room is used again; a `backup` "
      "is as small as can be. Work goes on meanwhile.",
      {{"bidboard compact", "when the log has grown larger than anyone will ask for"}},
      [](Options& o) -> Action0 {
        auto json = std::make_shared<bool>(false);
        o.flag("--json", *json, "Print JSON");
        return [json](const Globals& globals) { return compact_board(globals, *json); };
      }};
}

}  // namespace bidboard
