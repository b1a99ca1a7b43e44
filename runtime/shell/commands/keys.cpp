// keys: access keys for other machines.

#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/home/key_directory.hpp"
#include "runtime/shell/caller.hpp"
#include "runtime/shell/commands.hpp"
#include "runtime/shell/print.hpp"

namespace bidboard {
namespace {

struct KeysArgs {
  std::string verb = "list";
  std::vector<std::string> names;
  bool operates = false;
  bool json = false;
};

/// An idle controller rereads its keys when it receives a request. Without a controller nothing is connected.
void wake_controller(const BoardDirectory& board) {
  if (serving_writer(board)) static_cast<void>(call_for<Status>(board, AskStatus{}));
}

Result<Exit> init_keys(const BoardDirectory& board) {
  const Result<KeyPair> server = make_keys(board);
  if (!server) return fail(server.error());
  say("{}", to_hex(server->public_key));
  hint(
      "This is the public key of the board. Next: `bidboard keys add NAME` makes a client's key, and "
      "`bidboard controller --listen tcp://ADDRESS:PORT` accepts connections.");
  return Exit::ok;
}

Result<Exit> add(const BoardDirectory& board, const KeysArgs& args) {
  const Result<std::string> file = add_key(board, args.names[0], args.operates);
  if (!file) return fail(file.error());
  wake_controller(board);
  say("{}", *file);
  hint(
      "Send this file over a secure channel and delete it here: anyone who has it can connect as {}.\n"
      "On the other machine: bidboard agent --connect tcp://HOST:PORT --key FILE ...",
      args.operates ? "an operator" : "an agent");
  return Exit::ok;
}

Result<Exit> import(const BoardDirectory& board, const KeysArgs& args) {
  const Result<std::string> key = parse_public_key(args.names[1]);
  if (!key) return fail(key.error());
  if (const Result<void> done = import_key(board, {args.names[0], *key, args.operates}); !done)
    return fail(done.error());
  const Result<KeyPair> server = server_keys(board);
  if (!server) return fail(server.error());
  wake_controller(board);
  say("{}", to_hex(server->public_key));
  hint("This is the public key of the board; '{}' needs it to connect.", args.names[0]);
  return Exit::ok;
}

Result<Exit> revoke(const BoardDirectory& board, const KeysArgs& args) {
  for (const std::string& name : args.names)
    if (const Result<void> done = revoke_key(board, name); !done) return fail(done.error());
  wake_controller(board);
  return Exit::ok;
}

Result<Exit> list(const BoardDirectory& board, bool json) {
  const Result<std::vector<AllowedKey>> keys = allowed_keys(board);
  if (!keys && keys.error().code != Errc::not_found) return fail(keys.error());
  if (!keys && !json) return fail(keys.error());
  Value items{Value::Array{}};
  Table table({"NAME", "RIGHTS", "PUBLIC KEY"});
  for (const AllowedKey& key : keys.value_or(std::vector<AllowedKey>{})) {
    const char* rights = key.operates ? "operator" : "agent";
    Value item{Value::Object{}};
    item.set("name", key.name);
    item.set("rights", rights);
    item.set("public", to_hex(key.public_key));
    items.push(std::move(item));
    table.add({key.name, rights, to_hex(key.public_key)});
  }
  if (json)
    print_json(std::move(items));
  else if (table.empty())
    say("There are no keys. `bidboard keys add NAME` makes one.");
  else
    table.print();
  return Exit::ok;
}

Result<Exit> keys(const Globals& globals, const KeysArgs& args) {
  const Result<BoardDirectory> board = find_board(globals.directory);
  if (!board) return fail(board.error());
  if (args.verb != "list" && !caller().token.empty())
    return fail(Errc::refused, "a task's process may not change access keys (BIDBOARD_TOKEN is set)");
  const auto wants = [&](std::size_t least, std::size_t most, const char* usage) -> Result<void> {
    if (args.names.size() >= least && args.names.size() <= most) return {};
    return fail(Errc::invalid, fmt::format("usage: bidboard keys {}", usage));
  };
  Result<void> fits;
  if (args.verb == "list" || args.verb == "init")
    fits = wants(0, 0, args.verb.c_str());
  else if (args.verb == "add")
    fits = wants(1, 1, "add NAME [--operator]");
  else if (args.verb == "import")
    fits = wants(2, 2, "import NAME PUBLICKEY [--operator]");
  else if (args.verb == "revoke")
    fits = wants(1, 1000, "revoke NAME...");
  else
    fits = fail(Errc::invalid,
                fmt::format("unknown action '{}'; use init, add, import, list or revoke", args.verb));
  if (!fits) return fail(fits.error());
  if (args.verb == "init") return init_keys(*board);
  if (args.verb == "add") return add(*board, args);
  if (args.verb == "import") return import(*board, args);
  if (args.verb == "revoke") return revoke(*board, args);
  return list(*board, args.json);
}

}  // namespace

Command keys_command() {
  return {
      "keys",
      "Board",
      "Manage access keys",
      "Other machines connect over TCP with a key.\n"
      "  init                    make the board's own key pair, and print its public key\n"
      "  add NAME                make a key pair for a client, and print the path of the file to send to it\n"
      "  import NAME PUBLICKEY   allow a public key that was made elsewhere\n"
      "  list                    list the allowed keys\n"
      "  revoke NAME...          refuse these keys, and close their connections\n"
      "With a key a client can post tasks, and register agents and act as them. Cancelling, reassigning, "
      "configuring "
      "and\n"
      "stopping the board require a key made with --operator. A running controller applies changes at once.",
      {{"bidboard keys init", "make the board's key; then `bidboard controller --listen tcp://0.0.0.0:7070`"},
       {"bidboard keys add laptop", "make a key for a client; prints the file to send"},
       {"bidboard agent --connect tcp://HOST:7070 --key laptop.key --name w --exec CMD", "on that machine"},
       {"bidboard keys revoke laptop", "disconnect it, and refuse it from now on"}},
      [](Options& o) -> Action0 {
        auto args = std::make_shared<KeysArgs>();
        o.argument("VERB", args->verb, "init, add, import, list or revoke [list]", false);
        o.arguments("NAME", args->names, "Name of the key; for import also the public key", false);
        o.flag("--operator", args->operates, "add, import: give the key the rights of an operator");
        o.flag("--json", args->json, "list: print JSON");
        return [args](const Globals& globals) { return keys(globals, *args); };
      }};
}

}  // namespace bidboard
