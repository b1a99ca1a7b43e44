#include "runtime/sim/billed_executor.hpp"

#include <algorithm>

#include "blackboard/fmt.hpp"

namespace bidboard::sim {
namespace {

/// A client that is refused at its first call ends after this.
constexpr Duration client_start = seconds(1);

}  // namespace

BilledExecutor::BilledExecutor(Executor& work, Provider& provider, Caller caller)
    : work_(work), provider_(provider), caller_(std::move(caller)) {}

Result<void> BilledExecutor::start(const Assignment& assignment, Now now) {
  const Key key{assignment.task, assignment.epoch};
  if (runs_.contains(key) || turned_away_.contains(key))
    return fail(Errc::conflict, fmt::format("{} runs here already", assignment.task));
  const auto refused = provider_.call(caller_.account, caller_.agent, key.first, key.second, world(now));
  if (refused) {
    turned_away_.emplace(key, TurnedAway{now.mono + client_start, *refused});
    events_.push_back(ExecutionStarted{assignment.task, assignment.epoch, 0});
    return {};
  }
  const Result<void> started = work_.start(assignment, now);
  if (!started) return started;
  provider_.open(caller_.account, key.first, key.second, world(now));
  runs_.emplace(key, Run{now.mono, now.mono + provider_.account(caller_.account)->call_every, {}});
  return {};
}

void BilledExecutor::stop(TaskId task, Epoch epoch, const std::string& reason, Now now) {
  if (turned_away_.erase({task, epoch}) == 0) return work_.stop(task, epoch, reason, now);
  ExecutionEnded ended;
  ended.task = task;
  ended.epoch = epoch;
  ended.ending = Ending::stopped;
  ended.reason = reason;
  events_.push_back(std::move(ended));
}

std::vector<ExecutionEvent> BilledExecutor::pump(Now now) {
  std::vector<ExecutionEvent> events = std::exchange(events_, {});
  take_over_events(events, now);
  make_calls(now);
  take_over_events(events, now);  // of what a refused call has just ended
  for (auto at = turned_away_.begin(); at != turned_away_.end();) {
    if (at->second.due > now.mono) {
      ++at;
      continue;
    }
    ExecutionEnded ended;
    ended.task = at->first.first;
    ended.epoch = at->first.second;
    ended.seconds = client_start.us;
    say_refused(ended, at->second.refused, now);
    events.push_back(std::move(ended));
    at = turned_away_.erase(at);
  }
  return events;
}

Instant BilledExecutor::next_wakeup() const {
  if (!events_.empty()) return Instant{};
  Instant first = work_.next_wakeup();
  for (const auto& [key, run] : runs_) first = std::min(first, run.next_call);
  for (const auto& [key, turned_away] : turned_away_) first = std::min(first, turned_away.due);
  return first;
}

void BilledExecutor::lose(Instant world) {
  for (const auto& [key, run] : runs_) provider_.close(key.first, key.second, world, Bill::End::lost);
  runs_.clear();
}

void BilledExecutor::make_calls(Now now) {
  for (auto& [key, run] : runs_) {
    if (run.next_call > now.mono) continue;
    run.next_call = now.mono + provider_.account(caller_.account)->call_every;
    run.refused = provider_.call(caller_.account, caller_.agent, key.first, key.second, world(now));
    if (run.refused) work_.stop(key.first, key.second, "a call was refused", now);
  }
}

void BilledExecutor::take_over_events(std::vector<ExecutionEvent>& events, Now now) {
  for (ExecutionEvent& event : work_.pump(now)) {
    if (auto* ended = std::get_if<ExecutionEnded>(&event)) settle(*ended, now);
    events.push_back(std::move(event));
  }
}

void BilledExecutor::settle(ExecutionEnded& ended, Now now) {
  const auto run = runs_.find({ended.task, ended.epoch});
  if (run->second.refused) {
    ended.seconds = (now.mono - run->second.begun).us;
    say_refused(ended, *run->second.refused, now);
  }
  const Amount billed = provider_.close(ended.task, ended.epoch, world(now));
  ended.price = billed.money;
  ended.tokens = billed.tokens;
  runs_.erase(run);
}

void BilledExecutor::say_refused(ExecutionEnded& ended, const CallRefused& refused, Now now) const {
  ended.ending = caller_.tells_outages ? Ending::unavailable : Ending::failed;
  ended.reason = fmt::format("the provider refused a call: {}", refused.outage);
  if (!caller_.tells_outages) return;
  ended.outage = refused.outage;
  if (refused.stated.us > 0) ended.until = now.wall + refused.stated;
}

}  // namespace bidboard::sim
