#include "experiments/simulate.hpp"

#include <algorithm>
#include <optional>

#include "blackboard/fmt.hpp"
#include "blackboard/spending.hpp"
#include "experiments/arbiterless.hpp"
#include "runtime/jobs/posting.hpp"
#include "runtime/sim/bills.hpp"

namespace bidboard {
namespace {

using sim::Fault;
using sim::FaultKind;

/// The workload is posted when all agents have registered.
constexpr Instant posted_at{1'000'000};
/// A run is stopped after this many times the time that one agent alone would need.
constexpr double patience = 20;
constexpr Duration least_patience = minutes(60);

/// Counts the tasks that agents claimed, and notices that the workload was refused.
class Watch final : public sim::Observer {
 public:
  void on_said(const sim::Said& said, const Store&, Instant) override {
    if (const auto* take = std::get_if<Take>(&said.message)) asked_ += take->tasks.size();
  }
  void on_answered(const Request&, const Reply& reply, const Store&, Instant) override {
    if (reply.code != Errc::ok) refused_ = Error{reply.code, reply.text};
  }
  std::uint64_t asked() const { return asked_; }
  const std::optional<Error>& refused() const { return refused_; }

 private:
  std::uint64_t asked_ = 0;
  std::optional<Error> refused_;
};

std::vector<sim::AgentSpec> agents_of(const Setting& setting, const StrategySpec& strategy) {
  std::vector<AgentProfile> profiles = setting.agents;
  std::vector<AgentProfile> managers;
  if (strategy.strategy == "hierarchy") managers = add_managers(profiles, strategy.span);
  std::vector<sim::AgentSpec> agents;
  for (std::size_t i = 0; i < profiles.size(); ++i) {
    sim::AgentSpec agent;
    agent.profile = profiles[i];
    agent.behaviour.live_bids = strategy.live_bids;
    if (setting.lies[i] && strategy.live_bids) {
      agent.behaviour.bid_factor = one / 2;
    } else if (setting.lies[i]) {
      agent.profile.bids = BidStyle::formula;
      agent.profile.cost_formula = "size / speed / level / 2";
    }
    agents.push_back(std::move(agent));
  }
  for (AgentProfile& manager : managers) agents.push_back({std::move(manager), {}, true});
  return agents;
}

/// 0: as the plan says.
Plan with_attempts(Plan plan, std::uint32_t attempts) {
  for (PlannedTask& task : plan.tasks)
    if (attempts > 0) task.spec.attempts = attempts;
  return plan;
}

/// What the work costs when every attempt succeeds at an agent of speed 1.
Micros cost_of(const Plan& plan, const sim::AccountSpec& terms) {
  return mul_micros(plan.total_work, terms.price_per_second) +
         terms.price * static_cast<Micros>(plan.tasks.size());
}

void add_accounts(const AccountsSpec& spec, const StrategySpec& strategy, const Plan& plan,
                  sim::WorldOptions& options) {
  const Micros cost = cost_of(plan, spec.terms);
  Config& config = options.config;
  for (std::uint32_t i = 0; i < spec.count; ++i) {
    sim::AccountSpec account = spec.terms;
    account.name = account_name(i);
    if (strategy.running_max > 0) config.accounts.push_back({account.name, strategy.running_max, {}});
    if (spec.account_budget > 0)
      config.budgets.push_back(
          {account_scope(account.name), {mul_micros(cost / spec.count, spec.account_budget), 0}});
    options.accounts.push_back(std::move(account));
  }
  if (spec.board_budget > 0) config.budgets.push_back({"board", {mul_micros(cost, spec.board_budget), 0}});
  if (!config.budgets.empty())
    config.estimate = {cost / static_cast<Micros>(std::max<std::size_t>(plan.tasks.size(), 1)), 0};
  std::uint32_t next = 0;
  for (sim::AgentSpec& agent : options.agents) {
    if (agent.profile.role != Role::specialist) continue;
    agent.profile.account = account_name(next++ % spec.count);
    agent.behaviour.tells_outages = strategy.tells_outages;
  }
}

/// Whatever ends in such a run can be told: nobody dies, and no message is lost.
bool all_can_be_told(const FaultsSpec& faults) {
  return faults.kill_agents == 0 && !faults.kill_controller && faults.loss == 0 && faults.partition.us == 0;
}

/// When the killed agents died; of others, only when it was noticed.
void date_failures(const FaultsSpec& faults, double bound, RunFacts& facts) {
  for (FailureFacts& failure : facts.failures) failure.at = failure.detected;
  for (std::size_t i = 0; i < std::min<std::size_t>(facts.failures.size(), faults.kill_agents); ++i)
    facts.failures[i].at = bound * from_micros(faults.at) + static_cast<double>(i);
}

/// What the accounts' provider saw. Errors: failed (the board's count of what was spent is not what was
/// billed).
Result<void> read_accounts(const sim::World& world, const sim::BillChecker& bills, RunFacts& facts) {
  if (!bills.violations().empty())
    return fail(Errc::failed,
                fmt::format("what the board says was spent, or how attempts count, is wrong: {}",
                            bills.violations().front()));
  facts.used_up = static_cast<double>(bills.used_up());
  facts.calls_refused = static_cast<double>(world.provider().calls_refused());
  facts.billed = 0;
  for (const auto& [attempt, bill] : world.provider().bills()) facts.billed += from_micros(bill.amount.money);
  return {};
}

Instant after_post(double seconds) { return posted_at + Duration{to_micros(seconds)}; }

void plan_faults(const FaultsSpec& spec, const Setting& setting, double at, sim::WorldOptions& options) {
  options.links.loss = spec.loss;
  auto& planned = options.faults.planned;
  const std::vector<std::uint32_t> order = order_of_victims(setting);
  for (std::uint32_t i = 0; i < spec.kill_agents; ++i)
    planned.push_back({after_post(at + i), Fault{FaultKind::agent_crash, order[i], Duration{-1}}});
  if (spec.kill_controller)
    planned.push_back({after_post(at), Fault{FaultKind::controller_crash, 0, spec.down}});
  for (std::size_t i = 0; spec.partition.us > 0 && i < order.size() / 2; ++i)
    planned.push_back({after_post(at), Fault{FaultKind::cut_both, order[i], spec.partition}});
}

/// All executions, including late and lost work.
std::vector<ExecutionFacts> executions_of(const sim::World& world, const RunFacts& facts, TaskId first) {
  std::vector<ExecutionFacts> executions;
  for (std::size_t a = 0; a < world.agents().size(); ++a)
    for (const sim::Execution& e : world.agents()[a]->executions()) {
      const Instant end = e.ended == never ? world.now() : e.ended;
      ExecutionFacts fact;
      fact.task = static_cast<std::size_t>(e.task.value - first.value);
      fact.agent = a;
      fact.begin = static_cast<double>((e.begun - posted_at).us) / 1e6;
      fact.end = static_cast<double>((end - posted_at).us) / 1e6;
      executions.push_back(fact);
    }
  // Useful is the last execution that was begun by the agent whose result was accepted.
  for (std::size_t t = 0; t < facts.tasks.size(); ++t) {
    ExecutionFacts* counted = nullptr;
    for (ExecutionFacts& e : executions)
      if (facts.tasks[t].done && e.task == t && e.agent == facts.tasks[t].agent &&
          (!counted || e.begin > counted->begin))
        counted = &e;
    if (counted) counted->useful = true;
  }
  return executions;
}

}  // namespace

Result<RunFacts> simulate(const Experiment& experiment, const Cell& cell, const Setting& setting,
                          double bound, sim::Observer* watcher) {
  const StrategySpec& strategy = experiment.strategies[cell.strategy];
  if (!strategy.arbiter) return simulate_arbiterless(setting, experiment.faults[cell.faults], bound);
  const FaultsSpec& faults = experiment.faults[cell.faults];

  sim::WorldOptions options;
  options.seed = cell.seed;
  options.config.strategy = strategy.strategy;
  options.config.mechanism = strategy.mechanism;
  options.config.calibrate = strategy.calibrate;
  options.config.price_weight = 0;
  options.config.seed = cell.seed;
  options.agents = agents_of(setting, strategy);
  options.count_bytes = true;
  if (setting.error > 0)
    options.true_seconds = [&setting](const TaskSpec& task, std::uint32_t agent) {
      return setting.true_seconds(task, agent);
    };
  plan_faults(faults, setting, bound * from_micros(faults.at), options);
  const Plan plan = with_attempts(setting.plan, strategy.attempts);
  if (faults.accounts) add_accounts(*faults.accounts, strategy, plan, options);

  sim::World world(std::move(options));
  Watch watch;
  world.observe(watch);
  sim::BillChecker bills(world, all_can_be_told(faults), strategy.tells_outages);
  if (faults.accounts) world.observe(bills);
  if (watcher) world.observe(*watcher);
  world.post(post_of(plan), posted_at);
  const double alone = from_micros(setting.plan.total_work) / from_micros(setting.agents.front().speed);
  world.run_until_done(after_post(patience * alone) + least_patience);
  if (watch.refused())
    return fail(watch.refused()->code, fmt::format("the board refused it: {}", watch.refused()->text));

  std::vector<std::string> names;
  for (const AgentProfile& agent : setting.agents) names.push_back(agent.name);
  Result<RunFacts> facts = read_facts(world.store(), names);
  if (!facts) return facts;
  if (facts->tasks.size() != setting.plan.tasks.size())
    return fail(Errc::failed, fmt::format("the board has {} of its {} tasks", facts->tasks.size(),
                                          setting.plan.tasks.size()));
  if (!facts->finished) facts->makespan = static_cast<double>((world.now() - posted_at).us) / 1e6;
  if (faults.accounts) {
    bills.check_at_end(world.now());
    if (const Result<void> read = read_accounts(world, bills, *facts); !read) return fail(read.error());
  }
  facts->executions = executions_of(world, *facts, TaskId{1});
  const std::vector<sim::Usage> usage = world.usage();
  for (std::size_t i = 0; i < names.size(); ++i) {
    facts->agents[i].alive = static_cast<double>(usage[i].alive.us) / 1e6;
    facts->agents[i].worked = static_cast<double>(usage[i].slot_time.us) / 1e6;
  }
  for (std::size_t i = names.size(); i < usage.size(); ++i)
    facts->managers_alive += static_cast<double>(usage[i].alive.us) / 1e6;
  date_failures(faults, bound, *facts);
  const sim::NetworkCount& traffic = world.traffic();
  const sim::LinkCount total = traffic.total();
  facts->messages = static_cast<double>(total.messages);
  facts->bytes = static_cast<double>(total.bytes);
  facts->lost = static_cast<double>(total.lost);
  facts->links = 0;
  for (const std::uint64_t links : traffic.links) facts->links += static_cast<double>(links);
  double awards = 0;
  for (const TaskFacts& task : facts->tasks) awards += task.awards;
  facts->conflicts = std::max(0.0, static_cast<double>(watch.asked()) - awards);
  if (watch.asked() == 0) facts->conflicts = 0;
  facts->processes = static_cast<double>(usage.size()) + 1;
  return facts;
}

}  // namespace bidboard
