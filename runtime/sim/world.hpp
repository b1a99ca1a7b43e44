// A simulated world: one controller over a simulated disk, agents, shells and the network between them, under
// virtual time. The core, the node and the agents' state machines are those of the live system; only clocks,
// links, disk and work are simulated. A run is a function of its options: the same options give the same
// events, byte for byte, on every machine. No I/O, no clock, no threads; for one thread.
#pragma once

#include <deque>
#include <initializer_list>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "runtime/core/node.hpp"
#include "runtime/sim/event_queue.hpp"
#include "runtime/sim/faults.hpp"
#include "runtime/sim/network.hpp"
#include "runtime/sim/provider.hpp"
#include "runtime/sim/sim_agent.hpp"
#include "runtime/sim/sim_client.hpp"
#include "runtime/sim/sim_store.hpp"

namespace bidboard::sim {

/// How long the controller takes. Messages that arrive meanwhile form the next batch.
struct ServiceTimes {
  Duration per_batch = microseconds(260);  ///< a commit (docs/benchmarks.md)
  Duration per_input = microseconds(20);
};

struct WorldOptions {
  std::uint64_t seed = 1;
  Config config;  ///< strategy, mechanism, weights, ...; stored on the board from the beginning
  std::vector<AgentSpec> agents;
  std::vector<AccountSpec> accounts;  ///< of agents whose profile names one of them
  LinkProfile links;
  ServiceTimes controller;
  FaultPlan faults;
  TrueSeconds true_seconds;  ///< empty: size / speed / skill level, with the agent's noise
  bool count_bytes = false;  ///< encodes every message to count it: costs time
  bool start_agents = true;  ///< at the beginning; else each when start_agent is called
};

/// A message, and the connection on which it is sent.
struct Said {
  EndpointId from = 0;
  EndpointId to = 0;
  PeerId peer;
  const Message& message;
};

/// Observes what happens: checkers, recorders. Must not change anything. `store` shows what is durable at
/// that time.
class Observer {
 public:
  virtual ~Observer() = default;
  /// A batch became durable.
  virtual void on_saved(const Saved&, const Store&, Instant) {}
  /// Before the network gets it.
  virtual void on_said(const Said&, const Store&, Instant) {}
  /// An endpoint other than the controller received it.
  virtual void on_heard(const Said&, const Store&, Instant) {}
  /// A client's request was answered; the client will not repeat it.
  virtual void on_answered(const Request&, const Reply&, const Store&, Instant) {}
  virtual void on_fault(const Fault&, Instant) {}
  /// Called around each batch of the controller, to measure its cost.
  virtual void on_turn() {}
  virtual void on_turn_over() {}
  virtual void on_note(const Note&, Instant) {}
};

/// Times of one agent, in the world's time.
struct Usage {
  Duration alive;
  Duration busy;       ///< at least one task ran
  Duration slot_time;  ///< sum over its tasks
  Duration useful;     ///< of slot_time, for results that were accepted
};

class World {
 public:
  explicit World(WorldOptions options);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// Not owned; must outlive the world's run.
  void observe(Observer& observer) { observers_.push_back(&observer); }

  /// A shell; its requests go through the network one after the other. 0 exists from the beginning.
  std::size_t add_client();
  std::size_t clients() const { return clients_.size(); }
  /// Sent at that time, or as soon as all earlier ones are answered.
  void request(std::size_t client, RequestBody body, Instant at = {}, std::string as = {});
  /// The same, by client 0.
  void post(Post post, Instant at = {}) { request(0, std::move(post), at); }
  void inject(const Fault& fault);
  /// Starts the process of an agent that is not running.
  void start_agent(std::uint32_t agent);
  /// The agent signs off and ends.
  void dismiss_agent(std::uint32_t agent);
  /// No further faults: links are repaired, processes restart, all agents work without faults, and no
  /// provider refuses a call.
  void heal();

  /// Runs everything that happens up to that time.
  void run_until(Instant end);
  /// Runs until every request is answered and every task has ended, or that time is reached. Returns whether
  /// they have.
  bool run_until_done(Instant limit);
  /// Runs one event. False: no event is left.
  bool step();
  bool done() const { return open_tasks_ == 0 && waiting_requests_ == 0; }

  bool requests_answered() const { return waiting_requests_ == 0; }
  Instant now() const { return now_; }
  std::uint64_t open_tasks() const { return open_tasks_; }
  std::uint64_t steps() const { return steps_; }
  /// The longest sequence of the controller's turns, each within 5 ms of the last, that found nothing to do.
  std::uint64_t idle_turns_max() const { return idle_turns_max_; }
  /// The whole log and every record, as committed: Board(store) reads them.
  SimStore& store() { return store_; }
  const SimStore& store() const { return store_; }
  const NetworkCount& traffic() const { return network_.count(); }
  Network& network() { return network_; }
  const std::vector<std::unique_ptr<SimAgent>>& agents() const { return agents_; }
  const Provider& provider() const { return provider_; }
  /// The endpoint of an agent.
  EndpointId endpoint_of(std::uint32_t agent) const { return first_agent + agent; }
  std::vector<Usage> usage() const;
  /// A hash of everything that happened so far: what was committed, sent and received, and when.
  std::uint64_t log_hash() const { return hash_; }
  const WorldOptions& options() const { return options_; }

 private:
  static constexpr EndpointId first_agent = 1;
  /// A message on its way. `peer`: the connection on which it was sent.
  struct Deliver {
    EndpointId from, to;
    PeerId peer;
    Message message;
  };
  /// The controller has something to do. Outdated unless it is the turn that was scheduled last.
  struct ControllerTurn {};
  struct AgentTurn {
    std::uint32_t agent;
  };
  struct ClientTurn {
    std::uint32_t client;
  };
  struct Ask {
    std::uint32_t client;
    RequestBody body;
    std::string as;
  };
  struct Connect {
    EndpointId endpoint;
    std::uint64_t life;  ///< of the process that it is meant for
  };
  struct StartController {};
  struct ResumeController {};
  struct StartAgent {
    std::uint32_t agent;
  };
  struct ResumeAgent {
    std::uint32_t agent;
    std::uint64_t pause;
  };
  struct ProcessIsGone {
    std::int64_t pid;
  };
  struct Mend {
    Fault fault;
  };
  struct RandomFault {
    FaultKind kind;
  };
  struct Planned {
    Fault fault;
  };
  using Happening =
      std::variant<Deliver, ControllerTurn, AgentTurn, ClientTurn, Ask, Connect, StartController,
                   ResumeController, StartAgent, ResumeAgent, ProcessIsGone, Mend, RandomFault, Planned>;

  /// What the world knows about an agent's process.
  struct Place {
    PeerId peer;              ///< its connection; 0: none
    std::uint64_t life = 0;   ///< counts its processes
    std::uint64_t pause = 0;  ///< counts its pauses
    Instant turn_at = never;  ///< its next turn
    bool paused = false;
    bool dismissed = false;  ///< not started again
    Instant up_since = never;
    Duration alive;
    std::vector<std::pair<EndpointId, Message>> unread;  ///< with sender; arrived while it was suspended
  };

  void happen(Deliver& event);
  void happen(ControllerTurn);
  void happen(AgentTurn event);
  void happen(ClientTurn event);
  void happen(Ask& event);
  void happen(Connect event);
  void happen(StartController);
  void happen(ResumeController);
  void happen(StartAgent event);
  void happen(ResumeAgent event);
  void happen(ProcessIsGone event);
  void happen(const Mend& event);
  void happen(RandomFault event);
  void happen(const Planned& event);

  // controller_side.cpp
  void crash_controller(Duration down);
  void plan_controller_turn();
  std::vector<Input> take_inputs();
  void process(const std::vector<Input>& inputs);
  void count_idle_turns(const std::vector<Input>& inputs, const Committed& done);
  void take_over(Committed done, Instant at);
  void follow(const Saved& saved);
  void set_wall_clock(std::uint32_t machine, Duration forward);
  void end_of(std::int64_t pid);
  void say(EndpointId from, EndpointId to, PeerId peer, Message message, Instant at);
  void add_to_hash(std::initializer_list<std::uint64_t> numbers);

  // world.cpp
  void agent_hears(std::uint32_t agent, PeerId peer, const Message& message);
  void agent_hears_peer(std::uint32_t agent, EndpointId from, const PeerBids& words);
  void agent_says(std::uint32_t agent, std::vector<Message> messages);
  void agent_is_down(std::uint32_t agent, Duration down);
  void plan_agent_turn(std::uint32_t agent);
  void client_speaks(std::uint32_t client);
  std::vector<std::pair<EndpointId, EndpointId>> links_cut_by(const Fault& fault) const;
  void cut(const Fault& fault);
  Duration short_while(Duration most) { return {random_.between(1, most.us)}; }
  EndpointId endpoint_of_client(std::uint32_t client) const {
    return first_agent + static_cast<EndpointId>(agents_.size()) + client;
  }

  WorldOptions options_;
  Random random_;  ///< for everything but the links, which have their own
  Network network_;
  Provider provider_;  ///< has a generator of its own too: a world without accounts draws nothing for it
  SimStore store_;
  EventQueue<Happening> queue_;
  std::vector<Observer*> observers_;
  Instant now_{};
  bool healed_ = false;
  std::uint64_t steps_ = 0;
  std::uint64_t hash_ = 0;

  NodeClock controller_clock_;
  std::unique_ptr<Node> node_;
  bool controller_paused_ = false;
  Instant controller_turn_at_ = never;
  Instant controller_free_at_{};
  Instant last_idle_turn_{};
  std::uint64_t idle_turns_ = 0;
  std::uint64_t idle_turns_max_ = 0;
  std::deque<Input> inbox_;
  std::vector<Input> deaths_;
  std::set<std::int64_t> watched_;
  std::uint64_t oldest_peer_ = 1;  ///< connections before this one ended with an earlier controller
  std::optional<FaultKind> crash_in_batch_;
  Duration crash_down_;
  std::vector<EndpointId> peers_{controller_endpoint};  ///< by PeerId

  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::vector<Place> places_;
  std::set<std::int64_t> processes_;  ///< running processes
  std::int64_t last_pid_ = 1'000;
  struct Shell {
    SimClient client;
    PeerId peer;
    Instant turn_at = never;
  };
  std::vector<Shell> clients_;

  std::uint64_t open_tasks_ = 0;
  std::uint64_t waiting_requests_ = 0;
  std::vector<bool> over_;       ///< by task
  std::vector<Epoch> accepted_;  ///< by task: whose result counts
};

}  // namespace bidboard::sim
