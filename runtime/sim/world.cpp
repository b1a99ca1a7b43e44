#include "runtime/sim/world.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/board/board.hpp"
#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"

namespace bidboard::sim {
namespace {

/// The longest time until a process that ended or lost its connection is back.
constexpr Duration reconnect_max = milliseconds(100);
constexpr Duration seen_gone_max = milliseconds(5);
/// The supervisor waits this long before it restarts a process that ended by itself.
constexpr Duration restart_max = seconds(5);
constexpr const char* controllers_machine = "here";
/// Distinguishes the providers' random numbers from the world's.
constexpr std::uint64_t provider_stream = 0x70726f7669646572;

constexpr FaultKind all_faults[] = {FaultKind::controller_crash,
                                    FaultKind::controller_crash_before_commit,
                                    FaultKind::controller_crash_after_commit,
                                    FaultKind::controller_pause,
                                    FaultKind::agent_crash,
                                    FaultKind::agent_pause,
                                    FaultKind::cut_to_controller,
                                    FaultKind::cut_from_controller,
                                    FaultKind::cut_both,
                                    FaultKind::reconnect,
                                    FaultKind::wall_jump,
                                    FaultKind::cut_to_peers,
                                    FaultKind::cut_from_peers};

NodeClock some_clock(std::int64_t drift_ppm_max, Random& random) {
  return {Instant{random.between(0, 1'000'000'000'000)}, WallTime{1'700'000'000'000'000},
          random.between(-drift_ppm_max, drift_ppm_max)};
}

void put_on_board(Store& store, const Config& config) {
  Board board(store);
  board.apply(Event{WallTime{1'700'000'000'000'000}, ConfigSet{config}});
  BB_CHECK(board.commit(Term{1}).has_value(), "an empty board takes its configuration");
}

}  // namespace

World::World(WorldOptions options)
    : options_(std::move(options)),
      random_(options_.seed),
      network_(options_.links, random_.next()),
      provider_(options_.accounts, options_.seed ^ provider_stream) {
  put_on_board(store_, options_.config);
  const std::int64_t drift = options_.faults.rates.drift_ppm_max;
  controller_clock_ = some_clock(drift, random_);
  for (std::uint32_t i = 0; i < options_.agents.size(); ++i) {
    const NodeClock own = some_clock(drift, random_);
    const NodeClock& clock = options_.agents[i].local ? controller_clock_ : own;
    const std::string& account = options_.agents[i].profile.account;
    const bool is_billed = provider_.account(account) != nullptr;
    if (is_billed) provider_.join(account, i);
    agents_.push_back(std::make_unique<SimAgent>(options_.agents[i], i, clock, random_.next(),
                                                 &options_.true_seconds, is_billed ? &provider_ : nullptr));
  }
  places_.resize(agents_.size());
  add_client();
  queue_.push(now_, StartController{});
  for (std::uint32_t i = 0; options_.start_agents && i < agents_.size(); ++i)
    queue_.push(now_, StartAgent{i});
  for (const PlannedFault& planned : options_.faults.planned) queue_.push(planned.at, Planned{planned.fault});
  for (const FaultKind kind : all_faults)
    if (const Duration mean = mean_gap(options_.faults.rates, kind); mean.us > 0)
      queue_.push(now_ + next_gap(mean, random_), RandomFault{kind});
}

World::~World() = default;

std::size_t World::add_client() {
  clients_.push_back({SimClient(ClientId{random_.next() | 1}), {}});
  const std::size_t client = clients_.size() - 1;
  if (node_) happen(Connect{endpoint_of_client(static_cast<std::uint32_t>(client)), 0});
  return client;
}

void World::request(std::size_t client, RequestBody body, Instant at, std::string as) {
  BB_CHECK(client < clients_.size(), "requests are made by clients that exist");
  ++waiting_requests_;
  queue_.push(std::max(at, now_), Ask{static_cast<std::uint32_t>(client), std::move(body), std::move(as)});
}

void World::start_agent(std::uint32_t agent) {
  places_.at(agent).dismissed = false;
  happen(StartAgent{agent});
}

void World::dismiss_agent(std::uint32_t agent) {
  if (agents_.at(agent)->alive()) agent_says(agent, agents_[agent]->leave(now_, "dismissed"));
  places_[agent].dismissed = true;
  agent_is_down(agent, {});
}

void World::run_until(Instant end) {
  while (queue_.next() <= end) step();
  now_ = std::max(now_, end);
}

bool World::run_until_done(Instant limit) {
  while (!done() && queue_.next() <= limit) step();
  if (!done()) now_ = std::max(now_, limit);
  return done();
}

bool World::step() {
  if (queue_.empty()) return false;
  now_ = queue_.next();
  ++steps_;
  Happening event = queue_.pop();
  std::visit([&](auto& what) { happen(what); }, event);
  return true;
}

void World::happen(Deliver& event) {
  if (event.to == controller_endpoint) {
    if (!node_ || event.peer.value < oldest_peer_) return;
    inbox_.push_back(FromPeer{event.peer, std::move(event.message), 0});
    return plan_controller_turn();
  }
  add_to_hash({static_cast<std::uint64_t>(now_.us), event.to, event.message.index()});
  if (event.to < endpoint_of_client(0)) {
    const std::uint32_t agent = event.to - first_agent;
    Place& place = places_[agent];
    const bool from_controller = event.from == controller_endpoint;
    if (!agents_[agent]->alive() || (from_controller && place.peer != event.peer)) return;
    if (place.paused) return place.unread.push_back({event.from, std::move(event.message)});
    if (from_controller) return agent_hears(agent, event.peer, event.message);
    return agent_hears_peer(agent, event.from, std::get<PeerBids>(event.message));
  }
  const std::uint32_t client = event.to - endpoint_of_client(0);
  const auto* reply = std::get_if<Reply>(&event.message);
  if (!reply || clients_[client].peer != event.peer) return;
  const Said said{event.from, event.to, event.peer, event.message};
  for (Observer* observer : observers_) observer->on_heard(said, store_, now_);
  if (const auto answered = clients_[client].client.on_reply(*reply, now_)) {
    --waiting_requests_;
    for (Observer* observer : observers_) observer->on_answered(*answered, *reply, store_, now_);
  }
  client_speaks(client);
}

void World::agent_hears(std::uint32_t agent, PeerId peer, const Message& message) {
  const Said said{controller_endpoint, endpoint_of(agent), peer, message};
  for (Observer* observer : observers_) observer->on_heard(said, store_, now_);
  SimAgent& process = *agents_[agent];
  agent_says(agent, process.on_message(message, now_));
  if (process.gave_up()) return agent_is_down(agent, short_while(restart_max));
  plan_agent_turn(agent);
}

void World::agent_hears_peer(std::uint32_t agent, EndpointId from, const PeerBids& words) {
  const Said said{from, endpoint_of(agent), {}, words};
  for (Observer* observer : observers_) observer->on_heard(said, store_, now_);
  agents_[agent]->on_peer(words, now_);
  plan_agent_turn(agent);
}

/// Sends to the controller, while there is a connection, and to other agents.
void World::agent_says(std::uint32_t agent, std::vector<Message> messages) {
  const PeerId peer = places_[agent].peer;
  for (Message& message : messages)
    if (peer.value != 0) say(endpoint_of(agent), controller_endpoint, peer, std::move(message), now_);
  for (auto& [other, words] : agents_[agent]->take_peer_words())
    say(endpoint_of(agent), endpoint_of(other), {}, std::move(words), now_);
}

void World::agent_is_down(std::uint32_t agent, Duration down) {
  Place& place = places_[agent];
  if (!agents_[agent]->alive()) return;
  agents_[agent]->crash(now_);
  processes_.erase(agents_[agent]->pid());
  place.alive = place.alive + (now_ - place.up_since);
  place.up_since = never;
  place.peer = {};
  place.paused = false;
  place.unread.clear();
  place.turn_at = never;
  if (agents_[agent]->spec().local)
    queue_.push(now_ + short_while(seen_gone_max), ProcessIsGone{agents_[agent]->pid()});
  if (down.us < 0) place.dismissed = true;
  if (!place.dismissed) queue_.push(now_ + down, StartAgent{agent});
}

void World::plan_agent_turn(std::uint32_t agent) {
  Place& place = places_[agent];
  if (place.paused || !agents_[agent]->alive()) return;
  const Instant at = agents_[agent]->next_wakeup(now_);
  // A turn that comes too early finds nothing to do, and schedules the next.
  if (at == never || at >= place.turn_at) return;
  place.turn_at = at;
  queue_.push(at, AgentTurn{agent});
}

void World::happen(AgentTurn event) {
  Place& place = places_[event.agent];
  if (place.turn_at != now_ || place.paused || !agents_[event.agent]->alive()) return;
  place.turn_at = never;
  agent_says(event.agent, agents_[event.agent]->on_time(now_));
  plan_agent_turn(event.agent);
}

void World::happen(ClientTurn event) {
  Shell& shell = clients_[event.client];
  if (shell.turn_at != now_) return;
  shell.turn_at = never;
  client_speaks(event.client);
}

void World::client_speaks(std::uint32_t client) {
  Shell& shell = clients_[client];
  if (shell.peer.value == 0) return;
  if (const auto request = shell.client.on_time(now_))
    say(endpoint_of_client(client), controller_endpoint, shell.peer, *request, now_);
  const Instant next = shell.client.next_wakeup(now_);
  if (next == never || next >= shell.turn_at) return;
  shell.turn_at = next;
  queue_.push(next, ClientTurn{client});
}

void World::happen(Ask& event) {
  clients_[event.client].client.add(std::move(event.body), std::move(event.as));
  client_speaks(event.client);
}

void World::happen(Connect event) {
  if (!node_) return;  // once there is a controller, all agents connect
  const PeerId peer{peers_.size()};
  if (event.endpoint >= endpoint_of_client(0)) {
    const std::uint32_t client = event.endpoint - endpoint_of_client(0);
    peers_.push_back(event.endpoint);
    clients_[client].peer = peer;
    clients_[client].client.on_connected();
    return client_speaks(client);
  }
  const std::uint32_t agent = event.endpoint - first_agent;
  if (places_[agent].life != event.life || !agents_[agent]->alive()) return;
  if (places_[agent].paused) {
    queue_.push(now_ + reconnect_max, event);
    return;
  }
  peers_.push_back(event.endpoint);
  places_[agent].peer = peer;
  agent_says(agent, agents_[agent]->on_connected(now_));
  plan_agent_turn(agent);
}

void World::happen(StartAgent event) {
  Place& place = places_[event.agent];
  if (agents_[event.agent]->alive() || place.dismissed) return;
  ++place.life;
  place.up_since = now_;
  const std::int64_t pid = ++last_pid_;
  processes_.insert(pid);
  const bool local = agents_[event.agent]->spec().local;
  agents_[event.agent]->start_process(
      pid, local ? controllers_machine : fmt::format("machine{}", event.agent), random_.next() | 1);
  queue_.push(now_ + short_while(reconnect_max), Connect{endpoint_of(event.agent), place.life});
}

void World::happen(ResumeAgent event) {
  Place& place = places_[event.agent];
  if (!place.paused || place.pause != event.pause) return;
  place.paused = false;
  place.turn_at = never;
  for (const auto& [from, message] : std::exchange(place.unread, {})) {
    if (!agents_[event.agent]->alive()) continue;
    if (from == controller_endpoint)
      agent_hears(event.agent, place.peer, message);
    else
      agent_hears_peer(event.agent, from, std::get<PeerBids>(message));
  }
  plan_agent_turn(event.agent);
}

void World::happen(RandomFault event) {
  if (healed_) return;
  inject(
      random_fault(options_.faults.rates, event.kind, static_cast<std::uint32_t>(agents_.size()), random_));
  queue_.push(now_ + next_gap(mean_gap(options_.faults.rates, event.kind), random_), event);
}

void World::happen(const Planned& event) { inject(event.fault); }

void World::inject(const Fault& fault) {
  for (Observer* observer : observers_) observer->on_fault(fault, now_);
  add_to_hash({static_cast<std::uint64_t>(now_.us), static_cast<std::uint64_t>(fault.kind), fault.agent});
  switch (fault.kind) {
    case FaultKind::controller_crash:
      return crash_controller(fault.lasts);
    case FaultKind::controller_crash_before_commit:
    case FaultKind::controller_crash_after_commit:
      crash_in_batch_ = fault.kind;
      crash_down_ = fault.lasts;
      return;
    case FaultKind::controller_pause:
      if (!node_ || std::exchange(controller_paused_, true)) return;
      return queue_.push(now_ + fault.lasts, ResumeController{});
    case FaultKind::agent_crash:
      return agent_is_down(fault.agent, fault.lasts);
    case FaultKind::agent_pause: {
      Place& place = places_.at(fault.agent);
      if (place.paused || !agents_[fault.agent]->alive()) return;
      place.paused = true;
      return queue_.push(now_ + fault.lasts, ResumeAgent{fault.agent, ++place.pause});
    }
    case FaultKind::cut_to_controller:
    case FaultKind::cut_from_controller:
    case FaultKind::cut_both:
    case FaultKind::cut_to_peers:
    case FaultKind::cut_from_peers:
      return cut(fault);
    case FaultKind::reconnect:
      return queue_.push(now_, Connect{endpoint_of(fault.agent), places_.at(fault.agent).life});
    case FaultKind::wall_jump:
      return set_wall_clock(fault.agent, fault.lasts);
  }
}

std::vector<std::pair<EndpointId, EndpointId>> World::links_cut_by(const Fault& fault) const {
  const EndpointId agent = endpoint_of(fault.agent);
  std::vector<std::pair<EndpointId, EndpointId>> links;
  if (fault.kind == FaultKind::cut_to_peers || fault.kind == FaultKind::cut_from_peers) {
    const bool to_peers = fault.kind == FaultKind::cut_to_peers;
    for (std::uint32_t i = 0; i < agents_.size(); ++i)
      if (const EndpointId peer = endpoint_of(i); peer != agent)
        links.emplace_back(to_peers ? agent : peer, to_peers ? peer : agent);
    return links;
  }
  if (fault.kind != FaultKind::cut_from_controller) links.emplace_back(agent, controller_endpoint);
  if (fault.kind != FaultKind::cut_to_controller) links.emplace_back(controller_endpoint, agent);
  return links;
}

void World::cut(const Fault& fault) {
  for (const auto& [from, to] : links_cut_by(fault)) network_.cut(from, to);
  if (fault.lasts.us >= 0) queue_.push(now_ + fault.lasts, Mend{fault});
}

void World::happen(const Mend& event) {
  if (healed_) return;  // no link is cut any more
  for (const auto& [from, to] : links_cut_by(event.fault)) network_.mend(from, to);
}

void World::heal() {
  healed_ = true;
  network_.mend_all();
  LinkProfile clean = options_.links;
  clean.loss = clean.duplication = clean.reordering = 0;
  network_.set_profile(clean);
  store_.fail_commits(0);
  crash_in_batch_.reset();
  provider_.heal();
  happen(ResumeController{});
  for (std::uint32_t i = 0; i < agents_.size(); ++i) {
    agents_[i]->reform();
    happen(ResumeAgent{i, places_[i].pause});
    if (!agents_[i]->alive() && !places_[i].dismissed) happen(StartAgent{i});
  }
}

std::vector<Usage> World::usage() const {
  std::vector<Usage> all(agents_.size());
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    all[i].alive = places_[i].alive;
    if (places_[i].up_since != never) all[i].alive = all[i].alive + (now_ - places_[i].up_since);
    Instant busy_until{};  // executions are in the order in which they began
    for (const Execution& execution : agents_[i]->executions()) {
      const Instant ended = std::min(execution.ended, now_);
      all[i].slot_time = all[i].slot_time + (ended - execution.begun);
      if (ended > busy_until) {
        all[i].busy = all[i].busy + (ended - std::max(execution.begun, busy_until));
        busy_until = ended;
      }
      const std::size_t task = execution.task.value;
      if (execution.how == Execution::How::done && task < accepted_.size() &&
          accepted_[task] == execution.epoch)
        all[i].useful = all[i].useful + (ended - execution.begun);
    }
  }
  return all;
}

}  // namespace bidboard::sim
