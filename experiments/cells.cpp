#include "experiments/cells.hpp"

#include <algorithm>
#include <charconv>
#include <deque>
#include <set>

#include "auction/bid.hpp"
#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"
#include "blackboard/random.hpp"
#include "runtime/jobs/posting.hpp"

namespace bidboard {
namespace {

constexpr std::size_t most_skills = 4;
/// A task takes at least this share of its estimate.
constexpr Micros least_share = one / 20;

constexpr Micros live_critical_path = 5 * one;
/// No attempt times out in an experiment.
constexpr Duration long_enough = minutes(60 * 24 * 30);

std::string skill_name(std::size_t number) { return fmt::format("skill{}", number + 1); }

std::uint64_t hash_of(std::string_view text, std::uint64_t seed) {
  Random random(seed);
  std::uint64_t hash = random.next();
  for (const char c : text) hash = Random(hash ^ static_cast<unsigned char>(c)).next();
  return hash;
}

/// Tasks of one kind need one skill; if there are fewer kinds than skills, the tasks rotate through the
/// skills.
void need_skills(Plan& plan, std::size_t skills) {
  std::set<std::string> kinds;
  for (const PlannedTask& task : plan.tasks) kinds.insert(task.spec.kind);
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    const auto kind = std::distance(kinds.begin(), kinds.find(plan.tasks[i].spec.kind));
    const std::size_t number = (kinds.size() < skills ? i : static_cast<std::size_t>(kind)) % skills;
    plan.tasks[i].spec.skills = {{skill_name(number), 0}};
  }
}

}  // namespace

std::vector<Cell> cells_of(const Experiment& experiment) {
  std::vector<Cell> cells;
  for (std::size_t w = 0; w < experiment.workloads.size(); ++w)
    for (std::size_t a = 0; a < experiment.agents.size(); ++a)
      for (std::size_t f = 0; f < experiment.faults.size(); ++f)
        for (std::uint64_t seed = 1; seed <= experiment.seeds; ++seed)
          for (std::size_t s = 0; s < experiment.strategies.size(); ++s) cells.push_back({w, a, f, s, seed});
  return cells;
}

std::string name_of(const Cell& cell) {
  return fmt::format("w{}.a{}.f{}.s{}.{}", cell.workload, cell.agents, cell.faults, cell.strategy, cell.seed);
}

Result<Cell> parse_cell(const Experiment& experiment, std::string_view name) {
  const std::vector<Cell> cells = cells_of(experiment);
  const auto found =
      std::find_if(cells.begin(), cells.end(), [&](const Cell& c) { return name_of(c) == name; });
  if (found != cells.end()) return *found;
  return fail(Errc::not_found, fmt::format("there is no cell '{}'; cells are named {} to {}", name,
                                           name_of(cells.front()), name_of(cells.back())));
}

Micros Setting::true_seconds(const TaskSpec& task, std::size_t agent) const {
  const Micros estimate = standard_bid(task, agents[agent]).seconds;
  if (error == 0) return estimate;
  Random random(hash_of(task.name, seed) + agent);
  return mul_micros(estimate, std::max(least_share, one + random.between(-error, error)));
}

Micros Setting::least_factor() const { return std::max(least_share, one - error); }

std::vector<AgentProfile> add_managers(std::vector<AgentProfile>& agents, std::uint32_t span) {
  if (span == 0)
    while (std::size_t{span} * span < agents.size()) ++span;
  const std::size_t width = std::max<std::uint32_t>(span, 2);
  std::deque<AgentProfile> managers;  // pointers into it stay
  std::vector<AgentProfile*> level;
  for (AgentProfile& agent : agents) level.push_back(&agent);
  do {
    std::vector<AgentProfile*> next;
    for (std::size_t i = 0; i < level.size(); ++i) {
      if (i % width == 0) {
        AgentProfile& manager = managers.emplace_back();
        manager.name = fmt::format("m{}", managers.size());
        manager.role = level.size() <= width ? Role::executive : Role::manager;
        next.push_back(&manager);
      }
      level[i]->parent = next.back()->name;
    }
    level = std::move(next);
  } while (level.size() > 1);
  return {managers.begin(), managers.end()};
}

std::vector<std::uint32_t> order_of_victims(const Setting& setting) {
  std::vector<std::uint32_t> order(setting.agents.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  Random random(setting.seed * 7'919);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

Setting setting_of(const Experiment& experiment, const Cell& cell) {
  const AgentsSpec& spec = experiment.agents[cell.agents];
  Random random(cell.seed * 1'000'003);
  Setting setting;
  setting.seed = cell.seed;
  setting.error = spec.error;
  setting.plan = make_workload(experiment.workloads[cell.workload], random.next(), spec.count);
  if (experiment.mode == Mode::live)
    scale_sizes(setting.plan,
                experiment.scale != 0
                    ? experiment.scale
                    : div_micros(live_critical_path, std::max<Micros>(setting.plan.critical_path, 1)));
  for (PlannedTask& task : setting.plan.tasks) task.spec.timeout = long_enough;
  const std::size_t skills = std::min<std::size_t>(most_skills, spec.count);
  if (spec.specialised) need_skills(setting.plan, skills);
  const auto liars = static_cast<std::uint32_t>(mul_micros(spec.count * one, spec.liars) / one);
  for (std::uint32_t i = 0; i < spec.count; ++i) {
    AgentProfile agent;
    agent.name = fmt::format("w{}", i + 1);
    agent.speed = random.between(spec.slowest, spec.fastest);
    agent.capacity = spec.capacity;
    agent.price_per_second = agent.speed;  // so a task's price is its size, with every agent
    if (spec.specialised) {
      agent.skills.push_back({skill_name(i % skills), one});
      if (const std::size_t second = random.below(2 * skills); second < skills && second != i % skills)
        agent.skills.push_back({skill_name(second), one});
    }
    setting.agents.push_back(std::move(agent));
    setting.lies.push_back(i < liars);
  }
  return setting;
}

}  // namespace bidboard
