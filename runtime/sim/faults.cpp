#include "runtime/sim/faults.hpp"
#include "blackboard/fmt.hpp"

#include <algorithm>

namespace bidboard::sim {
namespace {

std::string share(std::int64_t millionths) { return format_micros(millionths * 100) + " %"; }

Duration up_to(Duration most, Random& random) {
  return {random.between(1'000, std::max(most.us, std::int64_t{1'000}))};
}

}  // namespace

Duration mean_gap(const FaultRates& rates, FaultKind kind) {
  switch (kind) {
    // Three kinds of crashes share one rate.
    case FaultKind::controller_crash:
    case FaultKind::controller_crash_before_commit:
    case FaultKind::controller_crash_after_commit:
      return rates.controller_crash_every * 3;
    case FaultKind::controller_pause:
      return rates.controller_pause_every;
    case FaultKind::agent_crash:
      return rates.agent_crash_every;
    case FaultKind::agent_pause:
      return rates.agent_pause_every;
    case FaultKind::cut_to_controller:
    case FaultKind::cut_from_controller:
    case FaultKind::cut_both:
      return rates.cut_every * 3;
    case FaultKind::cut_to_peers:
    case FaultKind::cut_from_peers:
      return rates.cut_peers_every * 2;
    case FaultKind::reconnect:
      return rates.reconnect_every;
    case FaultKind::wall_jump:
      return rates.wall_jump_every;
  }
  return {};
}

Duration next_gap(Duration mean, Random& random) { return {random.between(1, 2 * mean.us)}; }

Fault random_fault(const FaultRates& rates, FaultKind kind, std::uint32_t agents, Random& random) {
  Fault fault{kind, agents == 0 ? 0 : static_cast<std::uint32_t>(random.below(agents)), {}};
  switch (kind) {
    case FaultKind::controller_crash:
    case FaultKind::controller_crash_before_commit:
    case FaultKind::controller_crash_after_commit:
      fault.lasts = up_to(rates.controller_down_max, random);
      break;
    case FaultKind::controller_pause:
      fault.lasts = up_to(rates.controller_pause_max, random);
      break;
    case FaultKind::agent_crash:
      fault.lasts = up_to(rates.agent_down_max, random);
      break;
    case FaultKind::agent_pause:
      fault.lasts = up_to(rates.agent_pause_max, random);
      break;
    case FaultKind::cut_to_controller:
    case FaultKind::cut_from_controller:
    case FaultKind::cut_both:
    case FaultKind::cut_to_peers:
    case FaultKind::cut_from_peers:
      fault.lasts = up_to(rates.cut_max, random);
      break;
    case FaultKind::reconnect:
      break;
    case FaultKind::wall_jump:
      fault.agent = static_cast<std::uint32_t>(random.below(agents + 1));
      fault.lasts = {random.between(-rates.wall_jump_max.us, rates.wall_jump_max.us)};
      break;
  }
  return fault;
}

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::controller_crash:
      return "the controller crashes";
    case FaultKind::controller_crash_before_commit:
      return "the controller crashes before a commit";
    case FaultKind::controller_crash_after_commit:
      return "the controller crashes between a commit and its sends";
    case FaultKind::controller_pause:
      return "the controller is suspended";
    case FaultKind::agent_crash:
      return "an agent crashes";
    case FaultKind::agent_pause:
      return "an agent is suspended";
    case FaultKind::cut_to_controller:
      return "messages from an agent are lost";
    case FaultKind::cut_from_controller:
      return "messages to an agent are lost";
    case FaultKind::cut_both:
      return "a link is cut";
    case FaultKind::cut_to_peers:
      return "messages from an agent to its peers are lost";
    case FaultKind::cut_from_peers:
      return "messages to an agent from its peers are lost";
    case FaultKind::reconnect:
      return "a connection is lost and restored";
    case FaultKind::wall_jump:
      return "a wall clock is set";
  }
  return "";
}

std::vector<std::string> describe(const LinkProfile& links) {
  std::vector<std::string> lines{fmt::format("links: {} to {}", links.latency_min, links.latency_max)};
  if (links.loss > 0) lines.push_back("  lost: " + share(links.loss));
  if (links.duplication > 0) lines.push_back("  duplicated: " + share(links.duplication));
  if (links.reordering > 0)
    lines.push_back(fmt::format("  reordered: {}, by up to {}", share(links.reordering), links.reordered_by));
  return lines;
}

std::vector<std::string> describe(const FaultPlan& plan) {
  std::vector<std::string> lines;
  const FaultRates& rates = plan.rates;
  const auto every = [&](const char* what, Duration gap, const char* most, Duration bound) {
    if (gap.us == 0) return;
    std::string line = fmt::format("{} every {}", what, gap);
    if (bound.us > 0) line += fmt::format("{}{} {}", std::string(", "), most, bound);
    lines.push_back(std::move(line));
  };
  every("the controller crashes", rates.controller_crash_every, "down for up to", rates.controller_down_max);
  every("the controller is suspended", rates.controller_pause_every, "for up to", rates.controller_pause_max);
  if (rates.commit_failure > 0) lines.push_back("commits that fail: " + share(rates.commit_failure));
  every("an agent crashes", rates.agent_crash_every, "down for up to", rates.agent_down_max);
  every("an agent is suspended", rates.agent_pause_every, "for up to", rates.agent_pause_max);
  every("a link is cut", rates.cut_every, "for up to", rates.cut_max);
  every("an agent is cut off from its peers", rates.cut_peers_every, "for up to", rates.cut_max);
  every("a connection is lost and restored", rates.reconnect_every, "", {});
  every("a wall clock is set", rates.wall_jump_every, "by up to", rates.wall_jump_max);
  if (rates.drift_ppm_max > 0)
    lines.push_back(fmt::format("clocks run up to {} ppm fast or slow", rates.drift_ppm_max));
  for (const PlannedFault& planned : plan.planned)
    lines.push_back(fmt::format("at {}: {}", planned.at - Instant{}, planned.fault.kind));
  return lines;
}

}  // namespace bidboard::sim
