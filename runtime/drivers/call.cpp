#include "runtime/drivers/call.hpp"
#include "runtime/coordination/strategy.hpp"

#include <unistd.h>

#include <functional>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/core/node.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/home/random_bytes.hpp"
#include "runtime/net/client.hpp"

namespace bidboard {
namespace {

/// How long a tool waits for another tool that is writing.
constexpr Duration lock_patience = seconds(5);
/// An unanswered request is sent again after this long.
constexpr Duration repeat_interval = seconds(2);
/// A controller on this machine that is not connected to by then may be one that we must not connect to.
constexpr Duration doubt_after = milliseconds(300);

Result<ReplyBody> outcome(Reply reply) {
  if (reply.code != Errc::ok) return fail(reply.code, reply.text);
  return std::move(reply.body);
}

Result<ReplyBody> call_embedded(const BoardDirectory& board, Request request, const StoreOpener& open_store) {
  const Result<std::unique_ptr<Store>> store = open_store(board.path, {});
  if (!store) return fail(store.error());
  const Result<std::string> key = secret_key(board);
  if (!key) return fail(key.error());
  ControllerOptions options;
  options.term = (*store)->last_term();
  options.secret_key = *key;
  options.coordinators = make_coordinator;
  options.pid = ::getpid();
  options.board_path = board.path;
  options.serving = false;
  Node node(**store, options);
  const PeerId self{1};
  Committed done = node.process({FromPeer{self, std::move(request)}}, read_clocks());
  for (Send& send : done.sends)
    if (auto* reply = std::get_if<Reply>(&send.message); reply && send.to == self)
      return outcome(std::move(*reply));
  return fail(Errc::failed, "the request got no answer");
}

/// A request to a serving controller; no answer if the controller went away before it replied.
struct Conversation {
  std::string endpoint;
  std::optional<CurveKeys> keys;
  std::string board_id;                ///< empty: whichever the controller serves
  std::string who;                     ///< for people
  std::function<bool()> still_serves;  ///< asked before every wait
};

Error not_allowed(const std::string& who, const std::string& why) {
  return {
      Errc::refused,
      fmt::format("{} cannot be reached: this process may not connect to {}. If a sandbox forbids it, allow "
                  "connections to Unix sockets there (codex: -c "
                  "sandbox_workspace_write.network_access=true), or use `bidboard mcp`, which clients start "
                  "outside of their sandbox",
                  who, why)};
}

/// `said`: the controller may have received the request.
std::optional<Result<ReplyBody>> converse(const Conversation& with, const Request& request, Instant give_up,
                                          bool& said) {
  Result<std::unique_ptr<Connection>> connection = Connection::open(with.endpoint, with.keys, with.board_id);
  if (!connection) return Result<ReplyBody>(fail(connection.error()));
  Error last{Errc::timed_out, with.who + " does not answer"};
  Instant send_next{};
  for (bool doubts = true;; doubts = false) {
    if (!with.still_serves()) return {};
    const Instant now = read_clocks().mono;
    if (now >= give_up) return Result<ReplyBody>(fail(last));
    Incoming incoming = (*connection)->wait(std::min(doubts ? doubt_after : repeat_interval, give_up - now));
    if (doubts && !incoming.connected && incoming.messages.empty())
      if (const std::string why = forbidden_connection(with.endpoint); !why.empty())
        return Result<ReplyBody>(fail(not_allowed(with.who, why)));
    if (incoming.trouble) last = *incoming.trouble;
    if (incoming.trouble && last.code == Errc::refused) return Result<ReplyBody>(fail(last));
    if (incoming.connected || now >= send_next) {
      said = (*connection)->send(request) || said;
      send_next = now + repeat_interval;
    }
    for (Message& message : incoming.messages) {
      if (auto* reply = std::get_if<Reply>(&message); reply && reply->number == request.number)
        return outcome(std::move(*reply));
      if (const auto* malformed = std::get_if<Malformed>(&message))
        return Result<ReplyBody>(
            fail(Errc::unsupported, "the controller could not read the request: " + malformed->what));
    }
  }
}

/// Nothing: the controller went away before it replied.
std::optional<Result<ReplyBody>> call_serving(const BoardDirectory& board, const Writer& writer,
                                              const Request& request, Instant give_up, bool& said) {
  const Result<std::string> id = board_id(board);
  if (!id) return Result<ReplyBody>(fail(id.error()));
  const auto still_serves = [&] {
    const std::optional<Writer> still = serving_writer(board);
    return still && still->endpoint == writer.endpoint && still->pid == writer.pid;
  };
  const Conversation with{
      writer.endpoint, {}, *id, fmt::format("the controller (process {})", writer.pid), still_serves};
  return converse(with, request, give_up, said);
}

/// Every text in it.
template <class T>
void hide(const Redactor& hidden, T& value) {
  if constexpr (std::is_same_v<T, std::string>) {
    value = hidden.clean(value);
  } else if constexpr (HasFields<T>) {
    for_each_field(value, [&](const char*, auto& field) { hide(hidden, field); });
  } else if constexpr (requires { value.index(); }) {
    std::visit([&](auto& alternative) { hide(hidden, alternative); }, value);
  } else if constexpr (requires { value.emplace_back(); } && !std::is_same_v<T, std::vector<bool>>) {
    for (auto& item : value) hide(hidden, item);
  }
}

}  // namespace

Result<ReplyBody> call(const Target& target, RequestBody body, const CallOptions& options) {
  const Result<std::uint64_t> client = random_number();
  if (!client) return fail(client.error());
  if (!options.hidden.empty()) hide(options.hidden, body);
  // Client 0: keep no reply. Half the range, so that SQL prints it as it is.
  Request request{{*client >> 1 | 1}, 1, options.as, options.token, std::move(body)};
  const Instant give_up = read_clocks().mono + options.patience;
  if (!target.endpoint.empty()) {
    bool heard = false;
    const Conversation with{
        target.endpoint, target.keys, {}, "a controller at " + target.endpoint, [] { return true; }};
    return *converse(with, request, give_up, heard);
  }
  const BoardDirectory& board = target.board;
  bool said = false;
  while (true) {
    Writer serving;
    const Result<WriterLock> lock =
        WriterLock::acquire(board, Writer::State::embedded, lock_patience, &serving);
    if (lock) {
      // A request that no controller received cannot be done twice: no reply needs to be kept.
      if (!said) request.client = {};
      return call_embedded(board, std::move(request), options.open_store);
    }
    if (lock.error().code != Errc::conflict) return fail(lock.error());
    if (auto reply = call_serving(board, serving, request, give_up, said)) return std::move(*reply);
  }
}

}  // namespace bidboard
