// doctor, backup, compact: maintenance of a board.
#include <filesystem>

#include "blackboard/board/compaction.hpp"
#include "blackboard/fmt.hpp"
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
      say("{} {}", finding.grave ? coloured(Colour::red, "damaged:") : coloured(Colour::yellow, "note:"),
          finding.text);
  }
  if (json)
    print_json(std::move(list));
  else if (!grave)
    say("The board is intact{}",
        deep ? ", and its records match its log." : ". `--deep` also compares its records with its log.");
  return grave ? Exit::failed : Exit::ok;
}

struct BackupArgs {
  std::string target;
  bool secrets = false;
};

Result<Exit> backup(const Globals& globals, const BackupArgs& args) {
  const std::string& target = args.target;
  namespace fs = std::filesystem;
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  if (is_board({(fs::path(target) / board_folder).string()}))
    return fail(Errc::conflict, fmt::format("there is a board in {} already; choose another folder", target));
  const Result<BoardDirectory> copy = make_board_folder(target);
  if (!copy) return fail(copy.error());
  if (const Result<void> copied = copy_store(board->path, copy->path); !copied) return fail(copied.error());
  std::error_code error;
  // Tokens of live awards are derived from the secret. Without it the copy has one of its own.
  if (args.secrets &&
      !fs::copy_file(board->secret_file(), copy->secret_file(), fs::copy_options::overwrite_existing, error))
    return fail(Errc::storage, fmt::format("cannot copy {}: {}", board->secret_file(), error.message()));
  fs::copy_file(board->home() + "/bidboard.yaml", fs::path(target) / "bidboard.yaml", error);
  say("Copied to {}. Try: bidboard -C {} tasks", target, target);
  return Exit::ok;
}

/// The serving controller does it; without one, this process.
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
    say("Compacted up to event {}: removed {}; kept {} with auctions.", done->base,
        counted(done->removed, "event"), counted(done->kept, "event"));
  }
  return Exit::ok;
}

}  // namespace

Command doctor_command() {
  return {"doctor",
          "Board",
          "Check the board and report damage",
          "Exits 1 if something is damaged.",
          {{"bidboard doctor --deep", "also verify that the records match the log"}},
          [](Options& o) -> Action0 {
            auto deep = std::make_shared<bool>(false);
            auto json = std::make_shared<bool>(false);
            o.flag("--deep", *deep, "Replay the whole log and compare it with the records");
            o.flag("--json", *json, "Print JSON");
            return [deep, json](const Globals& globals) { return doctor(globals, *deep, *json); };
          }};
}

Command backup_command() {
  return {"backup",
          "Board",
          "Copy the board as it is now to another folder",
          "Works while a controller serves. The output of tasks and access keys (`bidboard keys`) are not "
          "copied,\nand the secret of which the tokens of tasks are made only on request.",
          {{"bidboard backup ~/backups/monday",
            "the copy is a board; list its tasks with bidboard -C ~/backups/monday tasks"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<BackupArgs>();
            o.argument("DIR", args->target, "A folder that has no board");
            o.flag("--secrets", args->secrets,
                   "Also copy secret.key: tokens of running tasks stay valid in the copy");
            return [args](const Globals& globals) { return backup(globals, *args); };
          }};
}

Command compact_command() {
  return {"compact",
          "Board",
          "Discard history before now",
          "Removes the events before now from the log; tasks, results and the reasons of awards are kept. "
          "Afterwards `query\n"
          "--at` cannot go back beyond this moment. The board is verified first. The file does not shrink, "
          "but its free space "
          "is\nreused; a `backup` is as small as possible. Work continues meanwhile.",
          {{"bidboard compact", "when the log has grown and its early part is not needed"}},
          [](Options& o) -> Action0 {
            auto json = std::make_shared<bool>(false);
            o.flag("--json", *json, "Print JSON");
            return [json](const Globals& globals) { return compact_board(globals, *json); };
          }};
}

}  // namespace bidboard
