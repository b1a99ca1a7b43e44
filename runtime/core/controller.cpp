#include "runtime/core/controller.hpp"

#include <algorithm>

#include "blackboard/checks/check.hpp"
#include "runtime/coordination/agreement.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {

Core::Core(Board& b, ControllerOptions o)
    : board(b), options(std::move(o)), secrets(options.secret_key), leases(b.config().lease) {}

void Core::emit(EventBody body) {
  note_for_dispatch(*this, body);
  board.apply(Event{now.wall, std::move(body)});
}

void Core::send(PeerId to, Message message) {
  if (to.value != 0) out.sends.push_back({to, std::move(message)});
}

void Core::begin(Now at) {
  now = at;
  out = {};
  awards.clear();
  if (!options.serving) return;
  leases.notice_time(at.mono);
  notice_clocks(*this);
}

Output Core::finish() {
  for (auto& [peer, message] : awards) send(peer, std::move(message));
  awards.clear();
  return std::exchange(out, {});
}

void Core::note(Note::Level level, std::string text) { out.notes.push_back({level, std::move(text)}); }

namespace {

std::unique_ptr<Strategy> strategy_of(const Config& config) {
  Result<std::unique_ptr<Strategy>> made = make_strategy(config.strategy, config.seed);
  BB_CHECK(made.has_value(), "a stored configuration names a known strategy: on_request refuses others");
  return std::move(*made);
}

/// So many deadlines are acted on in one batch; the rest are due in the next, at once.
constexpr std::size_t max_due_at_once = 10'000;

void act_on_due_task(Core& core, const std::string& key) {
  const TaskId id = keys::last_id<TaskId>(key);
  const Task* found = core.board.task(id);
  const std::vector<std::string> live = found ? live_index_keys(*found) : std::vector<std::string>{};
  // What an earlier entry of this batch led to may have settled this one.
  if (std::find(live.begin(), live.end(), key) == live.end()) return;
  if (static_cast<keys::Due>(key[9]) == keys::Due::backoff) return core.emit(BackoffOver{id});
  const Task& task = *found;
  const std::string reason = task.shell_claim
                                 ? "the claim ran out after " + format_duration(task.spec.timeout)
                                 : "no result within " + format_duration(task.spec.timeout);
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

}  // namespace

Controller::Controller(Board& board, ControllerOptions options)
    : core_(std::make_unique<Core>(board, std::move(options))) {
  core_->strategy = strategy_of(board.config());
}
Controller::~Controller() = default;

Output Controller::start(Now now) {
  Core& core = *core_;
  core.begin(now);
  core.started_at = now.mono;
  core.emit(TermStarted{core.options.term, core.options.pid});
  core.board.scan(keys::all_of<Agent>(), {}, [&](std::string_view key, std::string_view) {
    const AgentId id = keys::last_id<AgentId>(key);
    const Agent* agent = core.board.agent(id);
    if (!agent || agent->state != AgentState::live) return true;
    core.sessions[id] = Session{{}, now.mono, false};
    core.leases.renew(id, now.mono);
    if (is_watched(core, *agent)) core.out.watch.push_back(agent->profile.pid);
    return true;
  });
  return core.finish();
}

Output Controller::step(const Input& input, Now now) {
  Core& core = *core_;
  core.begin(now);
  core.inputs += 1;
  if (const auto* ended = std::get_if<ProcessEnded>(&input)) {
    std::vector<AgentId> gone;
    for (const auto& [id, session] : core.sessions) {
      const Agent* agent = core.board.agent(id);
      if (agent && agent->profile.pid == ended->pid && is_watched(core, *agent)) gone.push_back(id);
    }
    for (const AgentId id : gone)
      agent_gone(core, id, "its process " + std::to_string(ended->pid) + " ended");
    return core.finish();
  }
  const auto& [peer, message, digest, origin] = std::get<FromPeer>(input);
  core.origin = origin;
  if (const auto* hello = std::get_if<Hello>(&message)) {
    if (hello->min > protocol_version || hello->max < protocol_version)
      core.send(peer,
                Malformed{"this controller speaks protocol version " + std::to_string(protocol_version)});
    else
      core.send(peer, Welcome{protocol_version,
                              {},
                              core.options.term,
                              core.board.store().last_seq(),
                              core.options.board_path,
                              origin.key.empty() ? core.options.feed : core.options.tcp_feed});
  } else if (const auto* request = std::get_if<Request>(&message)) {
    on_request(core, peer, *request);
  } else if (const auto* registration = std::get_if<Register>(&message)) {
    on_register(core, peer, *registration);
  } else if (const auto* heartbeat = std::get_if<Heartbeat>(&message)) {
    on_heartbeat(core, peer, *heartbeat);
  } else if (const auto* bids = std::get_if<Bids>(&message)) {
    on_bids(core, peer, *bids);
  } else if (const auto* take = std::get_if<Take>(&message)) {
    on_take(core, peer, *take);
  } else if (const auto* choices = std::get_if<Choices>(&message)) {
    on_choices(core, peer, *choices);
  } else if (const auto* reports = std::get_if<Reports>(&message)) {
    on_reports(core, peer, *reports);
  } else if (const auto* listening = std::get_if<Listening>(&message)) {
    on_listening(core, peer, *listening);
  } else if (const auto* leave = std::get_if<Leave>(&message)) {
    on_leave(core, *leave);
  } else if (const auto* malformed = std::get_if<Malformed>(&message)) {
    core.malformed += 1;
    core.send(peer, *malformed);
  } else {
    core.malformed += 1;
    core.send(peer, Malformed{"a controller is not told '" + std::string(kind(message)) + "'"});
  }
  return core.finish();
}

Output Controller::settle(Now now) {
  Core& core = *core_;
  core.begin(now);
  core.bytes_read = 0;
  if (!core.options.serving) return {};
  const bool again = core.settle_again <= now.mono;
  if (core.dispatch_wanted || again) bidboard::settle(core);
  core.dispatch_wanted = false;
  return core.finish();
}

Output Controller::tick(Now now) {
  Core& core = *core_;
  core.begin(now);
  if (core.options.serving)
    for (const AgentId agent : core.leases.expired(now.mono))
      agent_gone(core, agent, "no heartbeat for " + format_duration(core.board.config().lease));
  act_on_due(core);
  for (auto& [task, auction] : core.auctions)
    if (!auction.overdue && auction.deadline <= now.mono) auction.overdue = core.dispatch_wanted = true;
  pass_over_silent(core);
  return core.finish();
}

Instant Controller::next_wakeup(Now now) const {
  Instant next = std::min(next_due(*core_, now), core_->leases.next_wakeup());
  next = std::min({next, core_->settle_again, next_choice_due(*core_)});
  for (const auto& [task, auction] : core_->auctions)
    if (!auction.overdue && auction.answers.size() < auction.invited.size())
      next = std::min(next, auction.deadline);
  return core_->dispatch_wanted && core_->options.serving ? now.mono : next;
}

void Controller::forget_batch(Now now) {
  Core& core = *core_;
  forget_clock_jump(core);
  core.strategy = strategy_of(core.board.config());
  core.leases.set_term(core.board.config().lease, now.mono);
  core.auctions.clear();
  core.formula_bids.clear();
  core.bundle_bids.clear();
  core.bundles.clear();
  core.announced.clear();
  core.peer_offers.clear();
  core.peers_changed = true;
  core.hierarchy.forget();
  core.barren.clear();
  core.newly_ready.clear();
  core.promises.clear();
  core.resting.clear();
  core.roster.touch_all();
  core.dispatch_wanted = true;
  // Registrations of the lost batch are gone from the board; leases lost in it are live again.
  std::erase_if(core.sessions, [&](const auto& entry) {
    const Agent* agent = core.board.agent(entry.first);
    if (agent && agent->state == AgentState::live) return false;
    core.leases.drop(entry.first);
    return true;
  });
  core.board.scan(keys::all_of<Agent>(), {}, [&](std::string_view key, std::string_view) {
    const AgentId id = keys::last_id<AgentId>(key);
    const Agent* agent = core.board.agent(id);
    if (agent && agent->state == AgentState::live && !core.sessions.contains(id)) {
      core.sessions[id] = Session{{}, now.mono, false};
      core.leases.renew(id, now.mono);
    }
    return true;
  });
}

}  // namespace bidboard
