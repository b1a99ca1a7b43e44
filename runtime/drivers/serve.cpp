#include "runtime/drivers/serve.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/node.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/compaction_run.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/drivers/suspects.hpp"
#include "runtime/drivers/watched_processes.hpp"
#include "runtime/home/board_place.hpp"
#include "runtime/home/key_directory.hpp"
#include "runtime/home/socket_folder.hpp"
#include "runtime/net/server.hpp"

namespace bidboard {
namespace {

constexpr Duration patience = seconds(5);
/// How often the feed sends its last number and the store is maintained while nothing happens.
constexpr Duration upkeep_interval = seconds(10);
/// Where no descriptor reports the end of a process, processes are polled this often.
constexpr Duration process_check_interval = seconds(1);

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

/// Each connection and each watched process takes a descriptor; many systems allow only 1,024 by default.
void ask_for_descriptors() {
  constexpr rlim_t wanted = 16'384;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted) return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? wanted : std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

/// Admits connections according to the current content of the key directory.
class Doorkeeper {
 public:
  Doorkeeper(const BoardDirectory& board, const ServeOptions& options)
      : options_(options), keys_(board), listens_(!options.listen.empty()) {}

  Admission admit(const ConnectionRequest& connection) {
    if (connection.remote) look();
    return bidboard::admit(connection, {::getuid(), options_.connections_max, keys_.keys()});
  }
  void tell(const std::string& from, const std::string& why) {
    const std::string text = notes_.tell(from, why, read_clocks().mono);
    if (!text.empty()) options_.on_note({Note::Level::warning, text});
  }
  /// True: a key lost rights, so open connections may no longer be allowed.
  bool must_cut() {
    if (listens_) look();
    return std::exchange(must_cut_, false);
  }

 private:
  void look() {
    if (keys_.look()) must_cut_ = true;
    if (keys_.trouble() != trouble_ && !keys_.trouble().empty())
      options_.on_note({Note::Level::error, "no key is allowed: " + keys_.trouble()});
    trouble_ = keys_.trouble();
  }

  const ServeOptions& options_;
  KeyWatch keys_;
  RefusalNotes notes_;
  bool listens_;
  bool must_cut_ = false;
  std::string trouble_;
};

Result<std::unique_ptr<Server>> open_server(const BoardDirectory& board, const std::string& id,
                                            const ServeOptions& options, Doorkeeper& doorkeeper) {
  ServerOptions wanted;
  wanted.folders = socket_folders(id);
  wanted.tcp = options.listen;
  wanted.may_enter = [&](const ConnectionRequest& connection) { return doorkeeper.admit(connection); };
  wanted.on_refused = [&](const std::string& from, const std::string& why) { doorkeeper.tell(from, why); };
  if (!options.listen.empty()) {
    Result<KeyPair> keys = server_keys(board);
    if (!keys)
      return fail(keys.error().code,
                  fmt::format("cannot listen at {}: {}", options.listen, keys.error().text));
    wanted.secret_key = std::move(keys->secret_key);
  }
  return Server::open(std::move(wanted));
}

class Live {
 public:
  Live(const ServeOptions& options, Store& store, Server& server, Node& node, Suspects& suspects,
       Doorkeeper& doorkeeper, const BoardDirectory& board)
      : options_(options),
        store_(store),
        server_(server),
        node_(node),
        suspects_(suspects),
        doorkeeper_(doorkeeper),
        compaction_(store),
        place_(board) {}

  /// Delivers what a batch decided. True: stop.
  bool deliver(Committed batch) {
    for (const Note& note : batch.notes) options_.on_note(note);
    for (const Send& send : batch.sends) server_.send(send.to, send.message);
    for (const std::int64_t pid : batch.watch) processes_.add(pid);
    for (const CompactionAsked& asked : batch.compact) compaction_.ask(asked);
    const Saved& saved = batch.saved;
    if (!saved.events.empty()) server_.publish(saved.first, saved.sealed);
    if (std::ranges::any_of(saved.events,
                            [](const Event& event) { return std::holds_alternative<AgentLeft>(event.body); }))
      store_.upkeep();
    return batch.shut_down;
  }

  /// Until a stop is requested. Errors: unavailable (the board's folder is gone).
  Result<void> run(const StopSignal& stop) {
    Instant next_upkeep = read_clocks().mono + upkeep_interval;
    while (!stop.requested()) {
      Now now = read_clocks();
      Instant wake = std::min({node_.next_wakeup(now), next_upkeep, place_.next_look()});
      if (processes_.must_ask()) wake = std::min(wake, now.mono + process_check_interval);
      if (processes_.has_ended() || compaction_.has_work()) wake = now.mono;
      std::vector<int> descriptors{stop.descriptor()};
      if (processes_.descriptor() >= 0) descriptors.push_back(processes_.descriptor());
      if (compaction_.descriptor() >= 0) descriptors.push_back(compaction_.descriptor());
      Arrived arrived = server_.wait(std::max(Duration{0}, wake - now.mono), descriptors);
      add_deaths(arrived.inputs);
      if (doorkeeper_.must_cut()) cut_remote(arrived.inputs);
      now = read_clocks();
      if (process(arrived.inputs, now)) return {};
      if (const Result<void> there = place_.look(now.mono); !there) return there;
      if (compaction_.has_work())
        for (const Send& send : compaction_.work()) server_.send(send.to, send.message);
      // A new follower learns at once where the log ends; it reads missed events from the log.
      if (arrived.follower) server_.publish(store_.last_seq().next(), {});
      if (now.mono >= next_upkeep) {
        server_.publish(store_.last_seq().next(), {});
        store_.upkeep();
        next_upkeep = now.mono + upkeep_interval;
      }
    }
    return {};
  }

 private:
  /// A key was revoked: its holder is cut off, and its pending messages are dropped. The other clients
  /// reconnect by themselves.
  void cut_remote(std::vector<Input>& inputs) {
    std::erase_if(inputs, [](const Input& input) {
      const auto* from = std::get_if<FromPeer>(&input);
      return from && !from->origin.key.empty();
    });
    options_.on_note({Note::Level::info,
                      "a key was revoked: all TCP connections were closed; clients whose keys are still "
                      "allowed reconnect"});
    if (const Result<void> opened = server_.reopen_tcp(); !opened)
      options_.on_note(
          {Note::Level::error, opened.error().text + "; other machines cannot connect until it is fixed"});
  }

  /// True: stop. Suspects are processed one at a time, so that another crash does not incriminate other
  /// inputs.
  bool process(std::vector<Input>& inputs, Now now) {
    std::vector<Input> batch;
    for (Input& input : inputs) {
      const auto* from = suspects_.any() ? std::get_if<FromPeer>(&input) : nullptr;
      const std::uint32_t crashes = from ? suspects_.crashes(from->digest) : 0;
      if (crashes == 0) {
        batch.push_back(std::move(input));
      } else if (crashes >= Suspects::refused_from) {
        refuse(*from);
      } else {
        if (process_batch(std::exchange(batch, {}), now)) return true;
        if (process_batch({std::move(input)}, now)) return true;
      }
    }
    return process_batch(batch, now);
  }

  bool process_batch(const std::vector<Input>& inputs, Now now) {
    std::vector<std::uint64_t> digests;
    for (const Input& input : inputs)
      if (const auto* from = std::get_if<FromPeer>(&input)) digests.push_back(from->digest);
    suspects_.begin(digests);
    Committed done = node_.process(inputs, now);
    suspects_.end();
    return deliver(std::move(done));
  }

  void refuse(const FromPeer& from) {
    const std::string why = fmt::format(
        "the controller crashed twice on this {}; this version of Bidboard refuses it. Please report "
        "it",
        kind(from.message));
    options_.on_note({Note::Level::error, why});
    if (const auto* request = std::get_if<Request>(&from.message))
      server_.send(from.peer, Reply{request->number, Errc::refused, why, {}});
    else
      server_.send(from.peer, Malformed{why});
  }

  /// A process's last messages are handled before its end, and its end before the registration of a process
  /// that takes over its name.
  void add_deaths(std::vector<Input>& inputs) {
    const auto registers = [](const Input& input) {
      const auto* from = std::get_if<FromPeer>(&input);
      return from && std::holds_alternative<Register>(from->message);
    };
    const std::vector<std::int64_t> ended = processes_.take_ended();
    std::vector<Input> deaths;
    for (const std::int64_t pid : ended) deaths.push_back(ProcessEnded{pid});
    inputs.insert(std::find_if(inputs.begin(), inputs.end(), registers), deaths.begin(), deaths.end());
  }

  const ServeOptions& options_;
  Store& store_;
  Server& server_;
  Node& node_;
  Suspects& suspects_;
  Doorkeeper& doorkeeper_;
  WatchedProcesses processes_;
  CompactionRun compaction_;
  BoardPlace place_;
};

}  // namespace

Result<void> serve(const BoardDirectory& board, const ServeOptions& options) {
  const StopSignal stop;
  Result<WriterLock> lock = WriterLock::acquire(board, Writer::State::starting, patience);
  if (!lock) return fail(lock.error());
  const Result<std::unique_ptr<Store>> store =
      options.open_store(board.path, {.durability = options.durability});
  if (!store) return fail(store.error());
  const Result<std::string> key = secret_key(board);
  if (!key) return fail(key.error());
  const Result<std::string> id = board_id(board);
  if (!id) return fail(id.error());
  ask_for_descriptors();
  Doorkeeper doorkeeper(board, options);
  Result<std::unique_ptr<Server>> server = open_server(board, *id, options, doorkeeper);
  if (!server) return fail(server.error());

  const Term term = (*store)->last_term().next();
  Node node(**store, {.term = term,
                      .secret_key = *key,
                      .coordinators = make_coordinator,
                      .pid = ::getpid(),
                      .host = host_name(),
                      .board_path = board.path,
                      .board_id = *id,
                      .feed = (*server)->feed_endpoint(),
                      .tcp_feed = (*server)->tcp_feed_endpoint()});
  const Result<std::unique_ptr<Suspects>> suspects = Suspects::open(board.suspects());
  if (!suspects) return fail(suspects.error());
  Live live(options, **store, **server, node, **suspects, doorkeeper, board);
  Result<Committed> started = node.start(read_clocks());
  if (!started) return fail(started.error());
  const Writer writer{Writer::State::serving,
                      ::getpid(),
                      term,
                      (*server)->endpoint(),
                      (*server)->feed_endpoint(),
                      (*server)->tcp_endpoint(),
                      (*server)->tcp_feed_endpoint()};
  if (const Result<void> said = lock->announce(writer); !said) return said;
  live.deliver(std::move(*started));
  options.on_ready(writer);
  return live.run(stop);
}

}  // namespace bidboard
