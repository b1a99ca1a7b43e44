#include "experiments/identity.hpp"

#include <algorithm>
#include <array>

#include "blackboard/fmt.hpp"
#include "blackboard/secrets.hpp"

namespace bidboard {
namespace {

std::string text_of_part(const WorkloadSpec& spec) {
  std::string text = fmt::format("{} {} {}\n", name(spec.shape), spec.tasks, spec.per_agent);
  for (const PlannedTask& task : spec.trace.tasks) {
    text += fmt::format("{}\n{}\n{}", task.spec.name, task.spec.kind, task.spec.size);
    for (const PlannedNeed& need : task.needs) text += fmt::format(" {}{}", need.task, need.any ? "?" : "");
    text += "\n";
  }
  return text;
}

std::string text_of_part(const AgentsSpec& spec) {
  return fmt::format("{} {} {} {} {} {} {}\n", spec.count, spec.slowest, spec.fastest, spec.capacity,
                     spec.specialised, spec.error, spec.liars);
}

std::string text_of_part(const AccountsSpec& spec) {
  const sim::AccountSpec& terms = spec.terms;
  std::string text = fmt::format("{} {} {} {} {} {} {} {}\n", spec.count, terms.calls_max, terms.window.us,
                                 terms.call_every.us, terms.price, terms.price_per_second, spec.board_budget,
                                 spec.account_budget);
  for (const sim::OutageSpec& outage : terms.outages)
    text += fmt::format("{} {} {} {}\n", outage.outage, outage.every.us, outage.lasts.us, outage.stated);
  return text;
}

std::string text_of_part(const FaultsSpec& spec) {
  std::string text = fmt::format("{} {} {} {} {} {}\n", spec.kill_agents, spec.kill_controller, spec.at,
                                 spec.down.us, spec.loss, spec.partition.us);
  if (spec.accounts) text += text_of_part(*spec.accounts);
  return text;
}

std::string text_of_part(const StrategySpec& spec) {
  std::string text = fmt::format("{} {} {} {} {} {}\n", spec.strategy, spec.mechanism, spec.live_bids,
                                 spec.calibrate, spec.span, spec.arbiter);
  // What results from before these settings do not know stays out of their hashes.
  if (!spec.tells_outages || spec.attempts > 0 || spec.running_max > 0)
    text += fmt::format("{} {} {}\n", spec.tells_outages, spec.attempts, spec.running_max);
  return text;
}

template <class Spec>
std::string hash_of(const std::vector<Spec>& specs) {
  std::string text;
  for (const Spec& spec : specs) text += text_of_part(spec);
  return to_hex(content_hash(text));
}

constexpr std::array<std::string_view, 5> parts{"mode", "workloads", "agents", "faults", "strategies"};

}  // namespace

Value identity_of(const Experiment& experiment) {
  Value value{Value::Object{}};
  value.set("mode", experiment.mode == Mode::live ? fmt::format("live {}", experiment.scale) : "simulate");
  value.set("workloads", hash_of(experiment.workloads));
  value.set("agents", hash_of(experiment.agents));
  value.set("faults", hash_of(experiment.faults));
  value.set("strategies", hash_of(experiment.strategies));
  return value;
}

std::string differing_parts(const Value& before, const Value& now) {
  std::vector<std::string> different;
  for (const std::string_view part : parts) {
    const Value* a = before.find(part);
    const Value* b = now.find(part);
    if (!a || !b || *a != *b) different.emplace_back(part);
  }
  return different.empty() ? "" : list_in_words(different);
}

bool same_work(const WorkloadSpec& a, const WorkloadSpec& b) {
  if (a.shape != b.shape || a.tasks != b.tasks || a.per_agent != b.per_agent) return false;
  return std::ranges::equal(a.trace.tasks, b.trace.tasks, [](const PlannedTask& x, const PlannedTask& y) {
    return x.spec.kind == y.spec.kind && x.spec.size == y.spec.size && x.needs == y.needs;
  });
}

bool same_agents(const AgentsSpec& a, const AgentsSpec& b) { return text_of_part(a) == text_of_part(b); }
bool same_faults(const FaultsSpec& a, const FaultsSpec& b) { return text_of_part(a) == text_of_part(b); }

}  // namespace bidboard
