// The controller's side of a simulated world: the loop of runtime/drivers/serve.cpp in virtual time.
#include <algorithm>
#include <utility>

#include "blackboard/checks/check.hpp"
#include "blackboard/format/codec.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/sim/world.hpp"

namespace bidboard::sim {
namespace {

constexpr Duration reconnect_max = milliseconds(100);
/// A failing disk fails at most this many commits in a row.
constexpr int failures_in_a_row_max = 3;

/// Whether the event makes the task over, or open (again); nothing if it changes neither.
struct Turn {
  TaskId task;
  bool over = false;
};
std::optional<Turn> turn_of(const Event& event) {
  if (const auto* posted = std::get_if<TaskPosted>(&event.body))
    return Turn{posted->task.id, is_over(posted->task.state)};
  if (const auto* moved = std::get_if<TaskMoved>(&event.body)) return Turn{moved->task, is_over(moved->to)};
  if (const auto* ended = std::get_if<AttemptEnded>(&event.body))
    return Turn{ended->task, is_over(ended->to)};
  if (const auto* finished = std::get_if<TaskFinished>(&event.body)) return Turn{finished->task, true};
  if (const auto* reopened = std::get_if<TaskReopened>(&event.body)) return Turn{reopened->task, false};
  return {};
}

}  // namespace

void World::happen(StartController) {
  if (node_) return;
  ControllerOptions options;
  options.term = store_.last_term().next();
  options.secret_key = std::string(32, 's');
  options.coordinators = make_coordinator;
  options.host = "here";
  options.live_agents_max = std::max(options.live_agents_max, agents_.size());
  node_ = std::make_unique<Node>(store_, options);
  oldest_peer_ = peers_.size();
  Result<Committed> started = node_->start(controller_clock_.read(now_));
  if (!started) return crash_controller(seconds(1));
  for (std::uint32_t i = 0; i < agents_.size(); ++i)
    if (agents_[i]->alive())
      queue_.push(now_ + short_while(reconnect_max), Connect{endpoint_of(i), places_[i].life});
  for (std::uint32_t i = 0; i < clients_.size(); ++i)
    queue_.push(now_ + short_while(reconnect_max), Connect{endpoint_of_client(i), 0});
  controller_free_at_ = now_;
  take_over(std::move(*started), now_);
  plan_controller_turn();
}

/// Everything outside the store is lost, and all connections are closed.
void World::crash_controller(Duration down) {
  if (!node_) return;
  node_.reset();
  controller_paused_ = false;
  controller_turn_at_ = never;
  inbox_.clear();
  deaths_.clear();
  watched_.clear();
  crash_in_batch_.reset();
  for (Place& place : places_) place.peer = {};
  for (Shell& shell : clients_) shell.peer = {};
  if (down.us >= 0) queue_.push(now_ + down, StartController{});
}

void World::happen(ResumeController) {
  if (!std::exchange(controller_paused_, false)) return;
  controller_turn_at_ = never;  // it may have come while no controller was running
  plan_controller_turn();
}

void World::plan_controller_turn() {
  if (!node_ || controller_paused_) return;
  Instant at = now_;
  if (inbox_.empty() && deaths_.empty())
    at = controller_clock_.when(node_->next_wakeup(controller_clock_.read(now_)));
  if (at == never) return;
  at = std::max({at, now_, controller_free_at_});
  if (at >= controller_turn_at_) return;
  controller_turn_at_ = at;
  queue_.push(at, ControllerTurn{});
}

void World::happen(ControllerTurn) {
  if (controller_turn_at_ != now_ || !node_ || controller_paused_) return;
  controller_turn_at_ = never;
  process(take_inputs());
  plan_controller_turn();
}

/// In the order of the live driver: a process's last messages before its end, and its end before the
/// registration of a process that takes over its name.
std::vector<Input> World::take_inputs() {
  const std::size_t count = std::min(inbox_.size(), batch_inputs_max);
  const auto end = inbox_.begin() + static_cast<std::ptrdiff_t>(count);
  std::vector<Input> inputs(std::make_move_iterator(inbox_.begin()), std::make_move_iterator(end));
  inbox_.erase(inbox_.begin(), end);
  const auto first_registration = std::ranges::find_if(inputs, [](const Input& input) {
    const auto* from = std::get_if<FromPeer>(&input);
    return from && std::holds_alternative<Register>(from->message);
  });
  inputs.insert(first_registration, deaths_.begin(), deaths_.end());
  deaths_.clear();
  return inputs;
}

void World::process(const std::vector<Input>& inputs) {
  const Duration takes = options_.controller.per_batch +
                         options_.controller.per_input * static_cast<std::int64_t>(inputs.size());
  add_to_hash({static_cast<std::uint64_t>(now_.us), inputs.size()});
  controller_free_at_ = now_ + takes;
  const std::optional<FaultKind> crash = std::exchange(crash_in_batch_, {});
  if (crash == FaultKind::controller_crash_before_commit)
    store_.fail_commits(1);
  else if (!healed_ && random_.chance(options_.faults.rates.commit_failure))
    store_.fail_commits(static_cast<int>(random_.between(1, failures_in_a_row_max)));
  for (Observer* observer : observers_) observer->on_turn();
  Committed done = node_->process(inputs, controller_clock_.read(now_));
  for (Observer* observer : observers_) observer->on_turn_over();
  count_idle_turns(inputs, done);
  if (!crash) return take_over(std::move(done), controller_free_at_);
  store_.fail_commits(0);
  follow(done.saved);
  crash_controller(crash_down_);
}

/// A core that asks to be woken again and again without anything to do would use a whole processor.
void World::count_idle_turns(const std::vector<Input>& inputs, const Committed& done) {
  const bool idle = inputs.empty() && done.saved.events.empty() && done.sends.empty();
  const bool in_a_row = now_ - last_idle_turn_ < milliseconds(5);
  idle_turns_ = !idle ? 0 : in_a_row ? idle_turns_ + 1 : 1;
  if (idle) last_idle_turn_ = now_;
  idle_turns_max_ = std::max(idle_turns_max_, idle_turns_);
}

void World::take_over(Committed done, Instant at) {
  follow(done.saved);
  for (const Note& note : done.notes)
    for (Observer* observer : observers_) observer->on_note(note, now_);
  for (const std::int64_t pid : done.watch) {
    watched_.insert(pid);
    if (!processes_.contains(pid)) end_of(pid);
  }
  for (Send& send : done.sends) {
    const EndpointId to = peers_.at(send.to.value);
    say(controller_endpoint, to, send.to, std::move(send.message), at);
  }
}

void World::follow(const Saved& saved) {
  if (saved.events.empty()) return;
  for (const std::string& bytes : saved.sealed) add_to_hash({digest(bytes)});
  for (const Event& event : saved.events) {
    if (const auto* finished = std::get_if<TaskFinished>(&event.body)) {
      if (accepted_.size() <= finished->task.value) accepted_.resize(2 * finished->task.value + 1);
      accepted_[finished->task.value] = finished->epoch;
    }
    const std::optional<Turn> turn = turn_of(event);
    if (!turn) continue;
    const std::size_t task = turn->task.value;
    if (over_.size() <= task) over_.resize(2 * task + 1, true);
    if (over_[task] && !turn->over) ++open_tasks_;
    if (!over_[task] && turn->over) --open_tasks_;
    over_[task] = turn->over;
  }
  for (Observer* observer : observers_) observer->on_saved(saved, store_, now_);
}

void World::happen(ProcessIsGone event) { end_of(event.pid); }

void World::end_of(std::int64_t pid) {
  if (watched_.erase(pid) == 0) return;
  deaths_.push_back(ProcessEnded{pid});
  plan_controller_turn();
}

/// The agents on the controller's machine share its clock.
void World::set_wall_clock(std::uint32_t machine, Duration forward) {
  const bool is_controllers = machine == agents_.size() || agents_[machine]->spec().local;
  if (!is_controllers) return agents_[machine]->clock().set_wall(forward);
  controller_clock_.set_wall(forward);
  for (const auto& agent : agents_)
    if (agent->spec().local) agent->clock().set_wall(forward);
}

void World::say(EndpointId from, EndpointId to, PeerId peer, Message message, Instant at) {
  const EndpointId other = from == controller_endpoint ? to : from;
  const Traffic traffic = other >= endpoint_of_client(0) ? Traffic::client
                          : from == controller_endpoint  ? Traffic::controller_to_agent
                          : to == controller_endpoint    ? Traffic::agent_to_controller
                                                         : Traffic::agent_to_agent;
  const Said said{from, to, peer, message};
  for (Observer* observer : observers_) observer->on_said(said, store_, now_);
  std::uint64_t bytes = 0;
  if (options_.count_bytes) bytes = encode(Frame{protocol_version, message}).size();
  add_to_hash({static_cast<std::uint64_t>(at.us), from, to, message.index()});
  const Network::Arrivals arrivals = network_.send(from, to, traffic, message.index(), bytes, at);
  if (arrivals.count == 2) queue_.push(arrivals.at[1], Deliver{from, to, peer, message});
  if (arrivals.count > 0) queue_.push(arrivals.at[0], Deliver{from, to, peer, std::move(message)});
}

void World::add_to_hash(std::initializer_list<std::uint64_t> numbers) {
  std::array<char, 64> bytes{};
  std::size_t size = 0;
  const auto append = [&](std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) bytes.at(size++) = static_cast<char>(number >> shift);
  };
  append(hash_);
  for (const std::uint64_t number : numbers) append(number);
  hash_ = digest(std::string_view(bytes.data(), size));
}

}  // namespace bidboard::sim
