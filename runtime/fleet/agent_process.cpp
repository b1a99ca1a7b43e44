#include "runtime/fleet/agent_process.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "agents/agent.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/drivers/clock.hpp"
#include "runtime/drivers/stop_signal.hpp"
#include "runtime/fleet/agent_executor.hpp"
#include "runtime/home/board_place.hpp"
#include "runtime/home/key_directory.hpp"
#include "runtime/home/random_bytes.hpp"
#include "runtime/home/socket_folder.hpp"
#include "runtime/net/client.hpp"
#include "runtime/net/peer_links.hpp"
#include "runtime/net/server.hpp"

namespace bidboard {
namespace {

/// The interval of checks for a controller, while none serves the board yet.
constexpr std::chrono::milliseconds look_interval(50);

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

Result<Writer> await_controller(const BoardDirectory& board, Duration patience, const StopSignal& stop) {
  const Instant give_up = read_clocks().mono + patience;
  while (true) {
    if (const auto writer = serving_writer(board)) return *writer;
    if (stop.requested() || read_clocks().mono >= give_up)
      return fail(
          Errc::unavailable,
          fmt::format("no controller serves {}; start one with `bidboard up` or `bidboard controller`",
                      board.path));
    std::this_thread::sleep_for(look_interval);
  }
}

Result<std::unique_ptr<Connection>> connect_here(const BoardDirectory& board, const Writer& controller) {
  const Result<std::string> id = board_id(board);
  if (!id) return fail(id.error());
  return Connection::open(controller.endpoint, {}, *id);
}

class AgentLoop {
 public:
  AgentLoop(AgentMachine machine, std::unique_ptr<Executor> executor, std::unique_ptr<Connection> connection,
            const BoardDirectory& board, const AgentProcessOptions& options)
      : machine_(std::move(machine)),
        executor_(std::move(executor)),
        connection_(std::move(connection)),
        board_(board),
        options_(options) {}

  Result<void> run(const StopSignal& stop) {
    const Instant patience_over = read_clocks().mono + options_.patience;
    const bool is_here = options_.connect.empty();  // else the board is on another machine
    while (!stop.requested() && !refusal_) {
      const bool unheard = !was_connected_ && !is_here;
      turn(unheard ? patience_over : is_here ? place_.next_look() : never, stop.descriptor());
      if (is_here && !refusal_ && read_clocks().mono >= place_.next_look()) look_around();
      if (unheard && !was_connected_ && read_clocks().mono >= patience_over && !refusal_)
        refusal_ =
            trouble_.value_or(Error{Errc::unavailable, fmt::format("no controller answers at {} within {}",
                                                                   options_.connect, options_.patience)});
    }
    if (refusal_) return fail(*refusal_);
    wind_up();
    return {};
  }

 private:
  /// Whether the board is still there, and whether its controller is still where we look for it: one that
  /// could not have its predecessor's folder of sockets has taken another.
  void look_around() {
    if (const Result<void> there = place_.look(read_clocks().mono); !there) {
      refusal_ = there.error();
      return;
    }
    const std::optional<Writer> writer = serving_writer(board_);
    if (!writer || writer->endpoint == connection_->endpoint()) return;
    if (Result<std::unique_ptr<Connection>> moved = connect_here(board_, *writer))
      connection_ = std::move(*moved);
  }

  /// Waits for the next message, event or deadline and acts on it.
  void turn(Instant until, int stop_descriptor) {
    std::vector<PollItem> items;
    executor_->add_poll(items);
    std::vector<Watched> watched{{stop_descriptor, true, false}};
    for (const PollItem& item : items) watched.push_back({item.fd, item.read, item.write});
    const Instant wake = std::min({until, machine_.next_wakeup(), executor_->next_wakeup()});
    const Instant before = read_clocks().mono;
    const Duration timeout = wake == never ? Duration{-1} : std::max(Duration{0}, wake - before);
    const Incoming incoming =
        connection_->wait(timeout, watched, peers_ ? peers_->sockets() : std::vector<void*>{});
    const Now now = read_clocks();
    notice(incoming);
    if (incoming.connected) act(machine_.on_connected(now.mono), now);
    for (const Message& message : incoming.messages) act(machine_.on_message(message, now), now);
    if (peers_)
      for (const PeerBids& words : peers_->receive()) machine_.on_peer(words, now.mono);
    for (const ExecutionEvent& event : executor_->pump(now)) act(machine_.on_execution(event, now), now);
    act(machine_.on_time(now), now);
  }

  void notice(const Incoming& incoming) {
    if (incoming.connected) {
      was_connected_ = true;
      trouble_.reset();
    }
    if (!incoming.trouble) return;
    if (incoming.trouble->code == Errc::refused) refusal_ = incoming.trouble;
    if (!trouble_ && !refusal_) options_.on_note(incoming.trouble->text);
    trouble_ = incoming.trouble;
  }

  void act(const AgentMachine::Actions& actions, Now now) {
    for (const AgentAction& action : actions) {
      if (const auto* say = std::get_if<Say>(&action)) {
        static_cast<void>(connection_->send(say->message));
      } else if (const auto* start = std::get_if<StartTask>(&action)) {
        options_.on_note(fmt::format("begins {}: {}", start->assignment.task, start->assignment.spec.title));
        const Result<void> started = executor_->start(start->assignment, now);
        if (!started)
          act(machine_.on_start_failed(start->assignment.task, start->assignment.epoch, started.error(), now),
              now);
      } else if (const auto* stop = std::get_if<StopTask>(&action)) {
        options_.on_note(fmt::format("stops {}: {}", stop->task, stop->reason));
        executor_->stop(stop->task, stop->epoch, stop->reason, now);
      } else if (const auto* ask = std::get_if<AskBid>(&action)) {
        executor_->ask_bid(ask->question, now);
      } else if (const auto* tell = std::get_if<TellPeer>(&action)) {
        if (peers_) static_cast<void>(peers_->send(tell->words));
      } else if (const auto* meet = std::get_if<MeetPeers>(&action)) {
        act(machine_.on_listening(listen(meet->peers)), now);
      } else if (const auto* note = std::get_if<AgentNote>(&action)) {
        options_.on_note(note->text);
      } else if (const auto* give_up = std::get_if<GiveUp>(&action)) {
        refusal_ = give_up->why;
      }
    }
  }

  /// Our endpoint for these peers; empty: none.
  std::string listen(const std::vector<PeerEntry>& peers) {
    if (!peers_ && !options_.connect.empty()) {
      if (peers.empty()) options_.on_note("strategy `peer` does not use agents that connect over TCP");
      return {};
    }
    if (!peers_) {
      const auto refused = [this](const std::string& from, const std::string& why) {
        options_.on_note(fmt::format("refused a connection from {}: {}", from, why));
      };
      Result<std::unique_ptr<PeerLinks>> opened =
          PeerLinks::open(folder_of_socket(connection_->endpoint()), fmt::format("p{}", ::getpid()), refused);
      if (!opened) {
        options_.on_note("peers cannot reach this agent: " + opened.error().text);
        return {};
      }
      peers_ = std::move(*opened);
    }
    peers_->connect(peers);
    return peers_->endpoint();
  }

  /// Leaves the board and stops running tasks; destroying the executor waits for their end.
  void wind_up() {
    const Now now = read_clocks();
    act(machine_.leave("it was told to stop"), now);
    executor_.reset();
    // One more turn of the socket, so that the message is sent before the connection closes.
    static_cast<void>(connection_->wait(milliseconds(20)));
  }

  AgentMachine machine_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Connection> connection_;
  std::unique_ptr<PeerLinks> peers_;  ///< set once the controller has named peers
  const BoardDirectory& board_;
  BoardPlace place_{board_};
  const AgentProcessOptions& options_;
  std::optional<Error> refusal_;
  std::optional<Error> trouble_;  ///< why it is not connected; printed once
  bool was_connected_ = false;
};

/// The controller's address, and the keys for it.
Result<std::unique_ptr<Connection>> connect(const BoardDirectory& board, const AgentProcessOptions& options,
                                            const StopSignal& stop) {
  if (options.connect.empty()) {
    const Result<Writer> writer = await_controller(board, options.patience, stop);
    if (!writer) return fail(writer.error());
    return connect_here(board, *writer);
  }
  std::optional<CurveKeys> keys;
  if (!options.key_file.empty()) {
    Result<CurveKeys> read = read_client_keys(options.key_file);
    if (!read) return fail(read.error());
    keys = std::move(*read);
  }
  return Connection::open(options.connect, keys);
}

}  // namespace

Result<void> run_agent(const BoardDirectory& board, AgentProcessOptions options) {
  const StopSignal stop;
  AgentProfile& profile = options.agent.profile;
  profile.pid = ::getpid();
  profile.host = host_name();
  profile.simulated = options.agent.executor == ExecutorKind::simulated;
  Result<AgentVariables> variables = read_agent_variables(options.agent);
  if (!variables) return fail(variables.error());
  for (const std::string& note : variables->notes) options.on_note(note);
  std::unique_ptr<Executor> executor =
      make_executor(board, options.agent, std::move(*variables), {options.connect, options.key_file});
  AgentMachine::Options machine;
  machine.asks_executor = executor->answers_bids();
  if (machine.asks_executor)
    profile.bids = BidStyle::live;
  else if (!profile.cost_formula.empty())
    profile.bids = BidStyle::formula;
  machine.profile = profile;
  const Result<std::uint64_t> incarnation = random_number();
  if (!incarnation) return fail(incarnation.error());
  machine.incarnation = *incarnation;
  Result<std::unique_ptr<Connection>> connection = connect(board, options, stop);
  if (!connection) return fail(connection.error());
  AgentLoop loop(AgentMachine(std::move(machine)), std::move(executor), std::move(*connection), board,
                 options);
  return loop.run(stop);
}

}  // namespace bidboard
