// The words for stored enums, in one place: shell, SQL, JSON and messages all say the same.
#include <algorithm>
#include <array>

#include "blackboard/records.hpp"

namespace bidboard {

std::string_view name(TaskState state) {
  switch (state) {
    case TaskState::blocked:
      return "blocked";
    case TaskState::ready:
      return "ready";
    case TaskState::offered:
      return "offered";
    case TaskState::awarded:
      return "awarded";
    case TaskState::running:
      return "running";
    case TaskState::done:
      return "done";
    case TaskState::failed:
      return "failed";
    case TaskState::cancelled:
      return "cancelled";
    case TaskState::skipped:
      return "skipped";
    case TaskState::waiting:
      return "waiting";
    case TaskState::paused:
      return "paused";
    case TaskState::quarantined:
      return "quarantined";
  }
  return "unknown";
}

std::string_view name(HoldKind kind) {
  switch (kind) {
    case HoldKind::backoff:
      return "back-off";
    case HoldKind::pause:
      return "pause";
    case HoldKind::budget:
      return "budget";
  }
  return "unknown";
}

std::string_view name(AgentState state) {
  switch (state) {
    case AgentState::live:
      return "live";
    case AgentState::gone:
      return "gone";
    case AgentState::shell:
      return "shell";
  }
  return "unknown";
}

std::string_view name(BidStyle style) {
  switch (style) {
    case BidStyle::standard:
      return "standard";
    case BidStyle::formula:
      return "formula";
    case BidStyle::live:
      return "live";
  }
  return "unknown";
}

std::string_view name(RefusalReason reason) {
  switch (reason) {
    case RefusalReason::role:
      return "role";
    case RefusalReason::skill:
      return "skill";
    case RefusalReason::project:
      return "project";
    case RefusalReason::budget:
      return "budget";
    case RefusalReason::run:
      return "run";
    case RefusalReason::reserved:
      return "reserved";
    case RefusalReason::declined:
      return "declined";
    case RefusalReason::silent:
      return "silent";
    case RefusalReason::invalid:
      return "invalid";
    case RefusalReason::failed_before:
      return "failed before";
    case RefusalReason::workflow:
      return "workflow";
    case RefusalReason::environment:
      return "environment";
    case RefusalReason::rests:
      return "rests";
    case RefusalReason::later:
      return "later";
  }
  return "unknown";
}

namespace {

constexpr std::array<std::string_view, 11> outages{
    "none",    "rate_limit",     "quota", "overload", "authentication", "credit",
    "network", "missing_binary", "crash", "failures", "environment"};

}  // namespace

std::string_view name(Outage outage) { return outages[static_cast<std::size_t>(outage)]; }

std::optional<Outage> outage_named(std::string_view name) {
  const auto found = std::ranges::find(outages, name);
  if (found == outages.end()) return {};
  return static_cast<Outage>(found - outages.begin());
}

std::string_view name(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      return "half open";
  }
  return "unknown";
}

bool is_over(TaskState state) {
  switch (state) {
    case TaskState::done:
    case TaskState::failed:
    case TaskState::cancelled:
    case TaskState::skipped:
    case TaskState::quarantined:
      return true;
    default:
      return false;
  }
}

bool is_held(TaskState state) { return state == TaskState::awarded || state == TaskState::running; }

const std::string& detail_of(const RecordedRefusal& refusal, std::size_t place) {
  return place < refusal.details.size() ? refusal.details[place] : refusal.detail;
}

}  // namespace bidboard
