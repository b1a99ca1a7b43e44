#include "runtime/sim/sim_executor.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>
#include <utility>

namespace bidboard::sim {
namespace {

enum Purpose : std::uint64_t { hangs = 1, bids = 2 };

/// A bid that is never given is answered after this long, when no one waits for it any more.
constexpr Duration silence = minutes(2);

AgentProfile with_true_speed(AgentProfile profile, const Behaviour& behaviour) {
  if (behaviour.true_speed > 0) profile.speed = behaviour.true_speed;
  return profile;
}

/// With known times, a task's size is its true time at any agent.
SimulatedOptions work_options(AgentProfile truth, const Behaviour& behaviour, std::uint64_t seed,
                              bool times_are_known) {
  if (times_are_known) truth.speed = one;
  return {std::move(truth), one, behaviour.noise, behaviour.failure_rate, seed};
}

}  // namespace

std::string result_of(TaskId task, Epoch epoch) {
  return fmt::format("{{\"task\":\"{}\",\"epoch\":{}}}", task, epoch.value);
}

Behaviour without_faults(const Behaviour& behaviour) {
  Behaviour good;
  good.true_speed = behaviour.true_speed;
  good.live_bids = behaviour.live_bids;
  good.tells_outages = behaviour.tells_outages;
  return good;
}

SimExecutor::SimExecutor(const AgentProfile& profile, const Behaviour& behaviour, std::uint64_t seed,
                         std::uint32_t agent, const TrueSeconds* true_seconds)
    : truth_(with_true_speed(profile, behaviour)),
      behaviour_(behaviour),
      seed_(seed),
      agent_(agent),
      true_seconds_(true_seconds && *true_seconds ? true_seconds : nullptr),
      work_(work_options(truth_, behaviour, seed, true_seconds_ != nullptr)) {}

/// A generator for one decision, so that the order of decisions does not affect it.
Random SimExecutor::draws(TaskId task, std::uint64_t number, std::uint64_t purpose) const {
  Random random(seed_ ^ purpose << 56);
  random = Random(random.next() ^ task.value);
  return Random(random.next() ^ number);
}

Result<void> SimExecutor::start(const Assignment& assignment, Now now) {
  const std::pair key{assignment.task, assignment.epoch};
  if (draws(assignment.task, assignment.epoch.value, Purpose::hangs).chance(behaviour_.hang_rate)) {
    hanging_.emplace(key, now.mono);
    events_.push_back(ExecutionStarted{assignment.task, assignment.epoch, 0});
    return {};
  }
  if (!true_seconds_) return work_.start(assignment, now);
  Assignment timed = assignment;
  timed.spec.size = (*true_seconds_)(assignment.spec, agent_);
  timed.spec.skills.clear();
  return work_.start(timed, now);
}

void SimExecutor::stop(TaskId task, Epoch epoch, const std::string& reason, Now now) {
  const auto hanging = hanging_.find({task, epoch});
  if (hanging == hanging_.end()) return work_.stop(task, epoch, reason, now);
  ExecutionEnded ended;
  ended.task = task;
  ended.epoch = epoch;
  ended.ending = Ending::stopped;
  ended.reason = reason;
  ended.seconds = (now.mono - hanging->second).us;
  hanging_.erase(hanging);
  events_.push_back(std::move(ended));
}

std::vector<ExecutionEvent> SimExecutor::pump(Now now) {
  std::vector<ExecutionEvent> events = std::exchange(events_, {});
  for (ExecutionEvent& event : work_.pump(now)) {
    auto* ended = std::get_if<ExecutionEnded>(&event);
    if (ended && ended->ending == Ending::done) ended->result = result_of(ended->task, ended->epoch);
    events.push_back(std::move(event));
  }
  if (answers_.empty()) return events;
  std::ranges::stable_sort(answers_, {}, &Answer::due);
  const auto later = std::ranges::upper_bound(answers_, now.mono, {}, &Answer::due);
  for (auto it = answers_.begin(); it != later; ++it) events.push_back(std::move(it->answer));
  answers_.erase(answers_.begin(), later);
  return events;
}

Instant SimExecutor::next_wakeup() const {
  if (!events_.empty()) return Instant{};
  Instant first = work_.next_wakeup();
  for (const Answer& answer : answers_) first = std::min(first, answer.due);
  return first;
}

void SimExecutor::ask_bid(const BidQuestion& question, Now now) {
  Random random = draws(question.task, question.attempt, Purpose::bids);
  Duration delay{random.between(0, behaviour_.bid_delay_max.us)};
  const Micros error = one + random.between(-behaviour_.bid_error, behaviour_.bid_error);
  if (random.chance(behaviour_.silence_rate)) delay = silence;
  BidAnswered answered{question.request, question.task, {}};
  if (random.chance(behaviour_.decline_rate)) {
    answered.answer = Refusal{RefusalReason::declined, "not today"};
  } else {
    const auto said = [&](const TaskSpec& spec) {
      BidVector bid = standard_bid(spec, truth_);
      if (true_seconds_) bid.seconds = (*true_seconds_)(spec, agent_);
      bid.seconds = mul_micros(mul_micros(bid.seconds, error), behaviour_.bid_factor);
      return bid;
    };
    answered.answer = said(question.spec);
    std::vector<SingleBid> singles{{question.task, &question.spec, said(question.spec)}};
    for (const RelatedTask& other : question.related)
      singles.push_back({other.task, &other.spec, said(other.spec)});
    answered.bundles = set_up_bundles(singles, truth_);
    std::erase_if(answered.bundles, [&](const BundleBid& bundle) {
      return !std::ranges::binary_search(bundle.tasks, question.task);
    });
  }
  answers_.push_back({now.mono + delay, std::move(answered)});
}

void SimExecutor::reform() {
  behaviour_ = without_faults(behaviour_);
  work_.set_chances(0, 0);
}

}  // namespace bidboard::sim
