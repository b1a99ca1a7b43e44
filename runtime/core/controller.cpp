#include "runtime/core/controller.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"
#include "blackboard/format/bounds.hpp"
#include "runtime/core/core.hpp"
#include "runtime/core/greeting.hpp"
#include "runtime/core/requests.hpp"
#include "runtime/core/sessions.hpp"
#include "runtime/core/tasks.hpp"
#include "runtime/core/winding_up.hpp"

namespace bidboard {

namespace {

/// At most this many deadlines are handled in one batch; the rest are due at once, in the next.
constexpr std::size_t max_due_at_once = 10'000;
/// Clients of other boards that are remembered, the latest: they notice at once and go.
constexpr std::size_t lost_peers_max = 1'000;

/// Holds with an end, except the back-off, which has an event of its own.
void lift_ended_holds(Core& core, const Task& task) {
  const std::vector<Hold> holds = task.holds;
  const TaskId id = task.id;
  for (const Hold& hold : holds)
    if (hold.kind != HoldKind::backoff && hold.until.us != 0 && hold.until <= core.now.wall)
      core.emit(HoldLifted{id, hold.kind});
}

void act_on_due_task(Core& core, const std::string& key) {
  const TaskId id = keys::last_id<TaskId>(key);
  const Task* found = core.board.task(id);
  const std::vector<std::string> live = found ? live_index_keys(*found) : std::vector<std::string>{};
  // An earlier entry of this batch may have settled this one.
  if (std::find(live.begin(), live.end(), key) == live.end()) return;
  if (static_cast<keys::Due>(key[9]) == keys::Due::backoff) return core.emit(BackoffOver{id});
  const Task& task = *found;
  if (static_cast<keys::Due>(key[9]) == keys::Due::hold) return lift_ended_holds(core, task);
  const std::string reason = task.shell_claim ? fmt::format("the claim ran out after {}", task.spec.timeout)
                                              : fmt::format("no result within {}", task.spec.timeout);
  revoke(core, task, reason);
  end_attempt(core, id, {.reason = reason, .outcome_unknown = true});
}

/// Wall-clock deadlines that have passed.
void act_on_due(Core& core) {
  std::vector<std::string> due;
  const std::string end = keys::due(core.now.wall + microseconds(1), keys::Due::attempt, 0).substr(0, 9);
  core.board.scan(std::string(1, keys::due_letter), {}, [&](std::string_view key, std::string_view) {
    if (key.substr(0, 9) >= end || due.size() == max_due_at_once) return false;
    due.emplace_back(key);
    return true;
  });
  for (const std::string& key : due) {
    if (static_cast<keys::Due>(key[9]) != keys::Due::client) {
      act_on_due_task(core, key);
      continue;
    }
    const Client* client = core.board.client(keys::last_id<ClientId>(key));
    if (client && client_due_key(*client) == key) core.emit(ClientForgotten{client->id});
  }
}

Instant next_due(const Core& core, Now now) {
  Instant next = never;
  core.board.scan(std::string(1, keys::due_letter), {}, [&](std::string_view key, std::string_view) {
    const std::int64_t wall = static_cast<std::int64_t>(read_big_endian(key, 1) ^ (1ULL << 63));
    next = now.mono + Duration{std::max<std::int64_t>(0, wall - now.wall.us)};
    return false;
  });
  return next;
}

/// Messages of the coordination protocol carry the same proof of identity.
template <class Body>
void pass_to_coordinator(Core& core, PeerId peer, const Body& body, const Message& message) {
  if (const Agent* agent = authenticate(core, peer, body.agent, body.secret))
    core.coordinator->on_message(core, agent->id, message);
}

void greet(Core& core, PeerId peer, const Hello& hello) {
  if (hello.min > protocol_version || hello.max < protocol_version)
    return core.send(peer,
                     Malformed{fmt::format("this controller speaks protocol version {}", protocol_version)});
  if (names_another_board(hello.features, core.options.board_id)) {
    if (core.lost_peers.size() >= lost_peers_max) core.lost_peers.erase(core.lost_peers.begin());
    core.lost_peers.insert(peer);
    return core.send(peer, Malformed{another_board});
  }
  core.send(peer, Welcome{protocol_version, features_of(core.options.board_id), core.options.term,
                          core.board.store().last_seq(), core.options.board_path,
                          core.origin.key.empty() ? core.options.feed : core.options.tcp_feed});
}

void on_process_ended(Core& core, std::int64_t pid) {
  std::vector<AgentId> gone;
  for (const auto& [id, session] : core.sessions) {
    const Agent* agent = core.board.agent(id);
    if (agent && agent->profile.pid == pid && is_watched(core, *agent)) gone.push_back(id);
  }
  for (const AgentId id : gone) agent_gone(core, id, fmt::format("its process {} ended", pid));
}

/// What is too long is not looked at further.
void refuse_long(Core& core, PeerId peer, const Message& message, const std::string& what) {
  if (const auto* request = std::get_if<Request>(&message))
    return core.send(peer, Reply{request->number, Errc::invalid, what, {}});
  if (std::holds_alternative<Register>(message))
    return core.send(peer, RegistrationRefused{Errc::invalid, what});
  core.traffic.malformed += 1;
  core.send(peer, Malformed{what});
}

void on_message(Core& core, PeerId peer, const Message& message) {
  if (core.lost_peers.contains(peer)) return core.send(peer, Malformed{another_board});
  if (const std::string what = beyond_bounds(message); !what.empty())
    return refuse_long(core, peer, message, what);
  std::visit(
      [&]<class Body>(const Body& body) {
        if constexpr (std::is_same_v<Body, Hello>)
          greet(core, peer, body);
        else if constexpr (std::is_same_v<Body, Request>)
          on_request(core, peer, body);
        else if constexpr (std::is_same_v<Body, Register>)
          on_register(core, peer, body);
        else if constexpr (std::is_same_v<Body, Heartbeat>)
          on_heartbeat(core, peer, body);
        else if constexpr (std::is_same_v<Body, Reports>)
          on_reports(core, peer, body);
        else if constexpr (std::is_same_v<Body, FetchNeeds>)
          on_fetch_needs(core, peer, body);
        else if constexpr (std::is_same_v<Body, Leave>)
          on_leave(core, body);
        else if constexpr (std::is_same_v<Body, Bids> || std::is_same_v<Body, Take> ||
                           std::is_same_v<Body, Choices> || std::is_same_v<Body, Listening>)
          pass_to_coordinator(core, peer, body, message);
        else {
          core.traffic.malformed += 1;
          if constexpr (std::is_same_v<Body, Malformed>)
            core.send(peer, body);
          else
            core.send(peer, Malformed{fmt::format("'{}' is not a message for a controller", kind(message))});
        }
      },
      message);
}

}  // namespace

Controller::Controller(Board& board, ControllerOptions options)
    : core_(std::make_unique<Core>(board, std::move(options))) {}
Controller::~Controller() = default;

Output Controller::start(Now now) {
  Core& core = *core_;
  core.begin(now);
  core.started_at = now.mono;
  core.emit(TermStarted{core.options.term, core.options.pid});
  expect_live_agents(core);
  expect_breakers(core);
  expect_spending(core);
  expect_turns(core);
  for (const auto& [id, session] : core.sessions)
    if (const Agent& agent = *core.board.agent(id); is_watched(core, agent))
      core.out.watch.push_back(agent.profile.pid);
  return core.finish();
}

Output Controller::step(const Input& input, Now now) {
  Core& core = *core_;
  core.begin(now);
  core.traffic.inputs += 1;
  if (const auto* ended = std::get_if<ProcessEnded>(&input)) {
    on_process_ended(core, ended->pid);
  } else {
    const auto& from = std::get<FromPeer>(input);
    core.origin = from.origin;
    on_message(core, from.peer, from.message);
  }
  return core.finish();
}

Output Controller::settle(Now now) {
  Core& core = *core_;
  core.begin(now);
  core.traffic.log_bytes = 0;
  if (core.options.serving && core.settle_due()) {
    core.settle();
    if (free_more(core)) core.settle();
  }
  return core.finish();
}

Output Controller::tick(Now now) {
  Core& core = *core_;
  core.begin(now);
  if (core.options.serving)
    for (const AgentId agent : core.leases.expired(now.mono))
      agent_gone(core, agent, fmt::format("no heartbeat for {}", core.board.config().lease));
  act_on_due(core);
  act_on_breakers(core);
  act_on_budgets(core);
  act_on_turns(core);
  core.coordinator->tick(core);
  return core.finish();
}

Instant Controller::next_wakeup(Now now) const {
  if (core_->settle_due() && core_->options.serving) return now.mono;
  return std::min({next_due(*core_, now), next_breaker(*core_, now), core_->leases.next_wakeup(),
                   next_turn(*core_), core_->coordinator->next_wakeup(*core_)});
}

bool Controller::awaits_endings() const { return !core_->winding_up.empty(); }

void Controller::forget_batch(Now now) {
  Core& core = *core_;
  core.clocks.forget_batch();
  core.leases.set_term(core.board.config().lease, now.mono);
  core.promises.clear();
  forget_lost_ends(core);
  // Registrations of the lost batch are gone from the board; leases that it ended are live again.
  std::erase_if(core.sessions, [&](const auto& entry) {
    const Agent* agent = core.board.agent(entry.first);
    if (agent && agent->state == AgentState::live) return false;
    core.leases.drop(entry.first);
    return true;
  });
  core.now = now;
  expect_live_agents(core);
  expect_breakers(core);
  expect_spending(core);
  expect_turns(core);
  core.reset_coordinator();
}

}  // namespace bidboard
