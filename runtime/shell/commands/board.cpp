// init, controller: making a board and serving it.
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "auction/clearing.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/drivers/serve.hpp"
#include "runtime/home/trust.hpp"
#include "runtime/jobs/settings.hpp"
#include "runtime/shell/board_view.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/notes.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

namespace fs = std::filesystem;

struct InitArgs {
  std::string project;
  std::string strategy;
  std::string mechanism;
};

/// `up` follows the file, so a new one states what was chosen. An existing file is never changed.
Result<void> write_settings(const BoardDirectory& board, const Config& config, const InitArgs& args) {
  const std::string file = board.home() + "/bidboard.yaml";
  std::error_code unknown;
  if (!fs::exists(file, unknown)) {
    std::ofstream out(file);
    out << default_settings_file(config) << std::flush;
    if (out) return {};
    return fail(Errc::storage, fmt::format("cannot write {}: {}", file, std::strerror(errno)));
  }
  for (const auto& [key, value] : {std::pair("project", args.project), std::pair("strategy", args.strategy),
                                   std::pair("mechanism", args.mechanism)})
    if (!value.empty())
      hint("{} exists and was not changed. `bidboard up` follows it; write there: {}: {}", file, key, value);
  return {};
}

Result<Exit> init(const Globals& globals, const InitArgs& args) {
  if (!args.strategy.empty())
    if (const auto made = check_strategy(args.strategy); !made) return fail(made.error());
  if (!args.mechanism.empty())
    if (const auto found = find_mechanism(args.mechanism); !found) return fail(found.error());
  const std::string home = globals.directory.empty() ? "." : globals.directory;
  const Result<BoardDirectory> board = make_board_folder(home);
  if (!board) return fail(board.error());
  const bool existed = is_board(*board);
  if (!existed) {
    const auto store = LmdbStore::open(board->path, {.create = true});
    if (!store) return fail(store.error());
  }
  Config config;
  if (existed) {
    const Result<BoardView> view = BoardView::open(*board);
    if (!view) return fail(view.error());
    const Result<Config> known = view->config();
    if (!known) return fail(known.error());
    config = *known;
  }
  const Config before = config;
  if (!args.project.empty()) config.project = args.project;
  if (config.project.empty()) config.project = fs::path(board->home()).filename().string();
  if (!args.strategy.empty()) config.strategy = args.strategy;
  if (!args.mechanism.empty()) config.mechanism = args.mechanism;
  if (!existed || config != before) {
    const Result<Nothing> configured =
        call_for<Nothing>(*board, Configure{config}, existed ? caller() : CallOptions{});
    if (!configured) return fail(configured.error());
  }
  if (const Result<void> written = write_settings(*board, config, args); !written)
    return fail(written.error());
  say("{} board {}", existed ? "There is already a" : "Made a", board->path);
  if (!existed)
    say("Next: `bidboard post \"My first task\"`, then `bidboard claim t1 --as me` and `bidboard done t1 "
        "--as me`.\n"
        "      {}/bidboard.yaml says which agents `bidboard up` starts.",
        board->home());
  // Said now, not by the next command.
  if (const Result<void> trusted = check_trust(board->path); !trusted)
    hint("bidboard: other commands refuse this board: {}", trusted.error().text);
  return Exit::ok;
}

struct ControllerArgs {
  bool no_sync = false;
  bool quiet = false;
  std::string listen;
  std::int64_t connections_max = 1'000;
};

Result<Exit> controller(const Globals& globals, const ControllerArgs& args) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  ServeOptions options;
  options.durability = args.no_sync ? Durability::none : Durability::commit;
  options.connections_max = static_cast<std::size_t>(args.connections_max);
  options.listen = args.listen;
  if (!args.quiet) {
    options.on_note = print_note;
    options.on_ready = [&](const Writer& writer) {
      print_note(
          {Note::Level::info, fmt::format("serving {} at {}{}{}, term {}", board->path, writer.endpoint,
                                          writer.tcp.empty() ? "" : " and ", writer.tcp, writer.term)});
    };
  }
  const Result<void> served = serve(*board, options);
  if (!served) return fail(served.error());
  if (!args.quiet) print_note({Note::Level::info, "stopped"});
  return Exit::ok;
}

}  // namespace

Command init_command() {
  return {
      "init",
      "Board",
      "Make a board in this folder (.bidboard) and a bidboard.yaml",
      "The folder gets .bidboard/ (the board) and bidboard.yaml (settings and agents for `bidboard up`). An "
      "existing\nbidboard.yaml is not changed. `bidboard help strategies` says which strategy and mechanism "
      "to "
      "choose.",
      {{"bidboard init", "a board in this folder"},
       {"bidboard -C ~/work init --strategy fifo", "a board in another folder, first come first served"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<InitArgs>();
        o.text("--project", args->project, "NAME", "Default project of tasks [the folder's name]");
        o.text("--strategy", args->strategy, "NAME",
               fmt::format("How tasks are awarded: {} [auction]", listed(strategy_names())));
        o.text("--mechanism", args->mechanism, "NAME",
               fmt::format("How auctions choose winners: {} [sequential]", listed(mechanism_names())));
        return [args](const Globals& globals) { return init(globals, *args); };
      }};
}

Command controller_command() {
  return {"controller",
          "Board",
          "Serve the board in the foreground, until SIGTERM or Ctrl-C",
          "Commands work without a controller too, one at a time; agents need one. `bidboard up` starts a "
          "controller and agents together.",
          {{"bidboard controller", "serve the board of this folder"},
           {"bidboard controller --listen tcp://0.0.0.0:7070",
            "also for other machines that have a key (`bidboard keys`); the event feed uses the next port"}},
          [](Options& o) -> Action0 {
            auto args = std::make_shared<ControllerArgs>();
            o.flag("--no-sync", args->no_sync,
                   "Do not wait for the disk: a power failure can lose the last commits");
            o.text("--listen", args->listen, "ADDRESS", "Accept other machines too: tcp://ADDRESS:PORT");
            o.integer("--max-connections", args->connections_max, "N",
                      "Limit of open connections, for local and for remote ones each", {1, 10'000});
            o.flag("--quiet", args->quiet, "Print errors only");
            return [args](const Globals& globals) { return controller(globals, *args); };
          }};
}

}  // namespace bidboard
