#include "agents/simulated.hpp"

#include <algorithm>
#include <utility>

#include "blackboard/checks/check.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"

namespace bidboard {
namespace {

/// A generator for one attempt, so that the order in which tasks begin does not affect it.
Random attempt_random(std::uint64_t seed, TaskId task, Epoch epoch) {
  Random random(seed);
  random = Random(random.next() ^ task.value);
  return Random(random.next() ^ epoch.value);
}

}  // namespace

SimulatedExecutor::SimulatedExecutor(SimulatedOptions options) : options_(std::move(options)) {
  BB_CHECK(options_.scale >= 0, "time does not run backwards");
  set_chances(options_.noise, options_.failure_rate);
}

void SimulatedExecutor::set_chances(Micros noise, Micros failure_rate) {
  BB_CHECK(noise >= 0 && noise <= one, "noise is a share");
  BB_CHECK(failure_rate >= 0 && failure_rate <= one, "a failure rate is a share");
  options_.noise = noise;
  options_.failure_rate = failure_rate;
}

Result<void> SimulatedExecutor::start(const Assignment& assignment, Now now) {
  const std::pair key{assignment.task, assignment.epoch};
  if (runs_.contains(key)) return fail(Errc::conflict, fmt::format("{} runs here already", assignment.task));
  Random random = attempt_random(options_.seed, assignment.task, assignment.epoch);
  const Micros factor = one + random.between(-options_.noise, options_.noise);
  Micros expected = standard_bid(assignment.spec, options_.agent).seconds;
  if (last_ && are_related(*last_, assignment.spec))
    expected -= std::min(std::max<Micros>(options_.agent.set_up, 0), expected);
  if (options_.agent.set_up > 0) last_ = assignment.spec;
  Micros seconds_needed = mul_micros(expected, factor);
  const bool fails = random.chance(options_.failure_rate);
  if (fails) seconds_needed = mul_micros(seconds_needed, random.between(0, one));

  Run run;
  run.due = now.mono + microseconds(mul_micros(seconds_needed, options_.scale));
  ExecutionEnded& outcome = run.outcome;
  outcome.task = assignment.task;
  outcome.epoch = assignment.epoch;
  outcome.ending = fails ? Ending::failed : Ending::done;
  if (fails)
    outcome.reason = "simulated failure";
  else
    outcome.result = fmt::format("{{\"simulated\":true,\"seconds\":{}}}", format_micros(seconds_needed));
  outcome.seconds = seconds_needed;
  outcome.price = mul_micros(seconds_needed, options_.agent.price_per_second);
  runs_.emplace(key, std::move(run));
  events_.push_back(ExecutionStarted{assignment.task, assignment.epoch, 0});
  return {};
}

void SimulatedExecutor::stop(TaskId task, Epoch epoch, const std::string& reason, Now) {
  if (runs_.erase({task, epoch}) == 0) return;
  ExecutionEnded ended;
  ended.task = task;
  ended.epoch = epoch;
  ended.ending = Ending::stopped;
  ended.reason = reason;
  events_.push_back(std::move(ended));
}

std::vector<ExecutionEvent> SimulatedExecutor::pump(Now now) {
  std::vector<ExecutionEvent> events = std::exchange(events_, {});
  std::vector<Run> due;
  for (auto at = runs_.begin(); at != runs_.end();) {
    if (at->second.due > now.mono) {
      ++at;
      continue;
    }
    due.push_back(std::move(at->second));
    at = runs_.erase(at);
  }
  std::ranges::stable_sort(due, {}, &Run::due);  // ties are ordered by id
  for (Run& run : due) events.push_back(std::move(run.outcome));
  return events;
}

Instant SimulatedExecutor::next_wakeup() const {
  if (!events_.empty()) return Instant{};
  Instant first = never;
  for (const auto& [key, run] : runs_) first = std::min(first, run.due);
  return first;
}

}  // namespace bidboard
