#include "runtime/sim/sim_agent.hpp"

#include <algorithm>
#include <utility>

namespace bidboard::sim {
namespace {

/// Where an agent's socket would be.
constexpr std::string_view endpoint_start = "ipc://agent";

}  // namespace

SimAgent::SimAgent(AgentSpec spec, std::uint32_t place, NodeClock clock, std::uint64_t seed,
                   const TrueSeconds* true_seconds, Provider* provider)
    : spec_(std::move(spec)),
      place_(place),
      clock_(clock),
      seed_(seed),
      true_seconds_(true_seconds),
      provider_(provider) {
  spec_.profile.simulated = true;
  if (spec_.behaviour.live_bids) spec_.profile.bids = BidStyle::live;
}

void SimAgent::start_process(std::int64_t pid, const std::string& host, std::uint64_t incarnation) {
  spec_.profile.pid = pid;
  spec_.profile.host = host;
  gave_up_ = false;
  executor_ = std::make_unique<SimExecutor>(spec_.profile, spec_.behaviour, seed_, place_, true_seconds_);
  if (provider_)
    billed_ = std::make_unique<BilledExecutor>(
        *executor_, *provider_, Caller{spec_.profile.account, place_, clock_, spec_.behaviour.tells_outages});
  AgentMachine::Options options;
  options.profile = spec_.profile;
  options.incarnation = incarnation;
  options.asks_executor = executor().answers_bids();
  machine_ = std::make_unique<AgentMachine>(std::move(options));
}

void SimAgent::crash(Instant world) {
  peers_.clear();
  peer_words_.clear();
  machine_.reset();
  if (billed_) billed_->lose(world);
  billed_.reset();
  executor_.reset();
  for (const std::size_t i : std::exchange(open_, {})) {
    executions_[i].ended = world;
    executions_[i].how = Execution::How::lost;
  }
}

std::vector<Message> SimAgent::on_connected(Instant world) {
  std::vector<Message> says;
  act(machine_->on_connected(clock_.read(world).mono), world, says);
  return says;
}

std::vector<Message> SimAgent::on_message(const Message& message, Instant world) {
  std::vector<Message> says;
  act(machine_->on_message(message, clock_.read(world)), world, says);
  pump(world, says);
  return says;
}

std::vector<Message> SimAgent::on_time(Instant world) {
  std::vector<Message> says;
  pump(world, says);
  return says;
}

void SimAgent::on_peer(const PeerBids& words, Instant world) {
  machine_->on_peer(words, clock_.read(world).mono);
}

std::vector<std::pair<std::uint32_t, PeerBids>> SimAgent::take_peer_words() {
  return std::exchange(peer_words_, {});
}

std::vector<Message> SimAgent::leave(Instant world, const std::string& reason) {
  std::vector<Message> says;
  act(machine_->leave(reason), world, says);
  return says;
}

Instant SimAgent::next_wakeup(Instant world) const {
  if (!machine_) return never;
  const Instant at = clock_.when(std::min(machine_->next_wakeup(), executor().next_wakeup()));
  return std::max(at, world);
}

void SimAgent::reform() {
  spec_.behaviour = without_faults(spec_.behaviour);
  if (executor_) executor_->reform();
}

void SimAgent::pump(Instant world, std::vector<Message>& says) {
  const Now now = clock_.read(world);
  for (const ExecutionEvent& event : executor().pump(now)) {
    if (const auto* ended = std::get_if<ExecutionEnded>(&event)) end_execution(*ended, world);
    act(machine_->on_execution(event, now), world, says);
  }
  act(machine_->on_time(now), world, says);
}

void SimAgent::end_execution(const ExecutionEnded& ended, Instant world) {
  const auto open = std::ranges::find_if(open_, [&](std::size_t i) {
    return executions_[i].task == ended.task && executions_[i].epoch == ended.epoch;
  });
  Execution& execution = executions_[*open];
  execution.ended = world;
  execution.how = ended.ending == Ending::done      ? Execution::How::done
                  : ended.ending == Ending::stopped ? Execution::How::stopped
                                                    : Execution::How::failed;
  open_.erase(open);
}

void SimAgent::act(const AgentMachine::Actions& actions, Instant world, std::vector<Message>& says) {
  const Now now = clock_.read(world);
  for (const AgentAction& action : actions) {
    if (const auto* say = std::get_if<Say>(&action)) {
      says.push_back(say->message);
    } else if (const auto* start = std::get_if<StartTask>(&action)) {
      const Assignment& assignment = start->assignment;
      const Result<void> started = executor().start(assignment, now);
      if (started) {
        open_.push_back(executions_.size());
        executions_.push_back({place_, assignment.task, assignment.epoch, world});
      } else {
        act(machine_->on_start_failed(assignment.task, assignment.epoch, started.error(), now), world, says);
      }
    } else if (const auto* stop = std::get_if<StopTask>(&action)) {
      executor().stop(stop->task, stop->epoch, stop->reason, now);
    } else if (const auto* ask = std::get_if<AskBid>(&action)) {
      executor().ask_bid(ask->question, now);
    } else if (const auto* tell = std::get_if<TellPeer>(&action)) {
      if (const auto peer = peers_.find(tell->words.to); peer != peers_.end())
        peer_words_.emplace_back(peer->second, tell->words);
    } else if (const auto* meet = std::get_if<MeetPeers>(&action)) {
      peers_.clear();
      for (const PeerEntry& entry : meet->peers)
        peers_[entry.agent] =
            static_cast<std::uint32_t>(std::stoul(entry.endpoint.substr(endpoint_start.size())));
      act(machine_->on_listening(std::string(endpoint_start) + std::to_string(place_)), world, says);
    } else if (std::holds_alternative<GiveUp>(action)) {
      gave_up_ = true;
    }
  }
}

}  // namespace bidboard::sim
