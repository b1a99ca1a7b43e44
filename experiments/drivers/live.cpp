#include "experiments/drivers/live.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "blackboard/fmt.hpp"
#include "blackboard/format/codec.hpp"
#include "blackboard/format/keys.hpp"
#include "blackboard/store/lmdb_store.hpp"
#include "experiments/bench/support.hpp"
#include "runtime/drivers/call.hpp"
#include "runtime/jobs/posting.hpp"

namespace bidboard {
namespace {

using bench::LiveBoard;

constexpr unsigned look_us = 5'000;
/// A run is stopped after this many times its bound.
constexpr double patience = 10;
constexpr double least_patience_s = 60;

std::string skills_in_yaml(const std::vector<Skill>& skills) {
  std::string text;
  for (const Skill& skill : skills)
    text += fmt::format("{}{}: {}", text.empty() ? "" : ", ", skill.name, format_micros(skill.level));
  return fmt::format("{{{}}}", text);
}

std::string settings_of(const StrategySpec& strategy, const Setting& setting,
                        const std::vector<AgentProfile>& managers) {
  std::string text =
      fmt::format("strategy: {}\nmechanism: {}\ncalibrate: {}\nweights: {{seconds: 1, price: 0}}\nagents:\n",
                  strategy.strategy, strategy.mechanism, (strategy.calibrate ? "true" : "false"));
  for (std::size_t i = 0; i < setting.agents.size(); ++i) {
    const AgentProfile& agent = setting.agents[i];
    text +=
        fmt::format("  - {{name: {}, executor: simulated, restart: false, speed: {}{}, price_per_second: {}",
                    agent.name, format_micros(agent.speed), fmt::format(", capacity: {}", agent.capacity),
                    format_micros(agent.price_per_second));
    if (!agent.parent.empty()) text += ", parent: " + agent.parent;
    if (!agent.skills.empty()) text += ", skills: " + skills_in_yaml(agent.skills);
    // A live bid is always honest, so agents that lie bid by a formula.
    if (setting.lies[i])
      text += ", cost: size / speed / level / 2";
    else if (strategy.live_bids)
      text += ", live: true";
    text += "}\n";
  }
  for (const AgentProfile& manager : managers) {
    text += fmt::format("  - {{name: {}, role: {}, restart: false", manager.name, manager.role);
    if (!manager.parent.empty()) text += ", parent: " + manager.parent;
    text += "}\n";
  }
  return text;
}

/// Proportional set sizes of all processes of a board, in bytes: shared pages count once.
double memory_of(const LiveBoard& board) {
  double bytes = 0;
  for (const pid_t pid : bench::family_of(board.supervisor())) {
    std::ifstream file(fmt::format("/proc/{}/smaps_rollup", pid));
    for (std::string word; file >> word;) {
      double kilobytes = 0;
      if (word == "Pss:" && file >> kilobytes) bytes += kilobytes * 1024;
    }
  }
  return bytes;
}

template <class Record, class Visit>
Result<void> each_record(const Snapshot& snapshot, Visit&& visit) {
  return snapshot.scan(keys::all_of<Record>(), {}, [&](std::string_view, std::string_view bytes) {
    if (const Result<Record> record = unseal<Record>(bytes)) visit(*record);
    return true;
  });
}

Result<std::size_t> live_agents(const Snapshot& snapshot) {
  std::size_t count = 0;
  const Result<void> read =
      each_record<Agent>(snapshot, [&](const Agent& agent) { count += agent.state == AgentState::live; });
  if (!read) return fail(read.error());
  return count;
}

Result<bool> is_finished(const Snapshot& snapshot) {
  std::uint64_t open = 0;
  const Result<void> read = each_record<Workflow>(snapshot, [&](const Workflow& w) { open += w.open; });
  if (!read) return fail(read.error());
  return open == 0;
}

/// Kills agents when the experiment says so.
class Killer {
 public:
  Killer(const FaultsSpec& faults, const Setting& setting, double at)
      : faults_(faults), order_(order_of_victims(setting)), agents_(setting.agents), at_(at) {}

  Result<void> act(const Snapshot& snapshot, double now) {
    while (killed_.size() < faults_.kill_agents && now >= at_ + static_cast<double>(killed_.size())) {
      const std::string& victim = agents_[order_[killed_.size()]].name;
      const Result<void> read = each_record<Agent>(snapshot, [&](const Agent& agent) {
        if (agent.profile.name == victim) ::kill(static_cast<pid_t>(agent.profile.pid), SIGKILL);
      });
      if (!read) return read;
      killed_.push_back(now);
    }
    return {};
  }
  const std::vector<double>& killed() const { return killed_; }

 private:
  const FaultsSpec& faults_;
  std::vector<std::uint32_t> order_;
  const std::vector<AgentProfile>& agents_;
  double at_;
  std::vector<double> killed_;
};

template <class Condition>
Result<void> await(const LiveBoard& board, double limit, Condition&& condition) {
  const auto begun = bench::Clock::now();
  while (true) {
    const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot(board.directory().path);
    if (!snapshot) return fail(snapshot.error());
    const Result<bool> met = condition(**snapshot, bench::seconds_since(begun));
    if (!met) return fail(met.error());
    if (*met) return {};
    if (bench::seconds_since(begun) > limit) return fail(Errc::timed_out, "a live run did not end in time");
    ::usleep(look_us);
  }
}

}  // namespace

Result<RunFacts> run_live(const std::string& program, const Experiment& experiment, const Cell& cell,
                          Setting setting, double bound) {
  const FaultsSpec& faults = experiment.faults[cell.faults];
  const StrategySpec& strategy = experiment.strategies[cell.strategy];
  std::vector<AgentProfile> managers;
  if (strategy.strategy == "hierarchy") managers = add_managers(setting.agents, strategy.span);
  const auto board = LiveBoard::start(program, settings_of(strategy, setting, managers));
  if (!board) return fail(board.error());
  const std::size_t agents = setting.agents.size() + managers.size();
  const auto here = await(**board, least_patience_s, [&](const Snapshot& s, double) -> Result<bool> {
    const Result<std::size_t> live = live_agents(s);
    if (!live) return fail(live.error());
    return *live == agents;
  });
  if (!here) return fail(here.error());
  const auto posted =
      post_plan(setting.plan, [&](Post post) { return call_for<Posted>((*board)->directory(), post); });
  if (!posted) return fail(posted.error());
  Killer killer(faults, setting, bound * from_micros(faults.at));
  double memory = 0;
  double elapsed = 0;
  const auto done =
      await(**board, least_patience_s + patience * bound, [&](const Snapshot& s, double now) -> Result<bool> {
        if (const Result<void> acted = killer.act(s, now); !acted) return fail(acted.error());
        if (memory == 0 && now > bound / 2) memory = memory_of(**board);
        elapsed = now;
        return is_finished(s);
      });
  if (!done && done.error().code != Errc::timed_out) return fail(done.error());

  const Result<std::unique_ptr<Snapshot>> snapshot = open_snapshot((*board)->directory().path);
  if (!snapshot) return fail(snapshot.error());
  std::vector<std::string> names;
  for (const AgentProfile& agent : setting.agents) names.push_back(agent.name);
  Result<RunFacts> facts = read_facts(**snapshot, names);
  if (!facts) return facts;
  if (!facts->finished) facts->makespan = elapsed;
  for (AgentFacts& agent : facts->agents) agent.alive = facts->makespan;
  facts->managers_alive = static_cast<double>(managers.size()) * facts->makespan;
  for (std::size_t i = 0; i < facts->failures.size(); ++i)
    facts->failures[i].at = i < killer.killed().size() ? killer.killed()[i] : facts->failures[i].detected;
  facts->processes = static_cast<double>(agents) + 2;  // and the supervisor
  if (memory > 0) facts->memory = memory;
  return facts;
}

}  // namespace bidboard
