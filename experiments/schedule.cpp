#include "experiments/schedule.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "auction/eligibility.hpp"

namespace bidboard {
namespace {

constexpr std::size_t most_looks = 50'000'000;
constexpr double endless = std::numeric_limits<double>::infinity();

double in_seconds(Micros value) { return from_micros(value); }

/// Positions of the tasks, each after all it needs. REQUIRES: no cycle.
std::vector<std::size_t> needs_first(const Plan& plan) {
  std::vector<std::size_t> open(plan.tasks.size());
  std::vector<std::vector<std::size_t>> dependents(plan.tasks.size());
  for (std::size_t i = 0; i < plan.tasks.size(); ++i) {
    open[i] = plan.tasks[i].needs.size();
    for (const PlannedNeed& need : plan.tasks[i].needs) dependents[need.task].push_back(i);
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < open.size(); ++i)
    if (open[i] == 0) order.push_back(i);
  for (std::size_t at = 0; at < order.size(); ++at)
    for (const std::size_t next : dependents[order[at]])
      if (--open[next] == 0) order.push_back(next);
  return order;
}

/// For each task the longest chain of `seconds` that must pass before it begins, and after it has ended.
struct Chains {
  std::vector<double> head;
  std::vector<double> tail;

  Chains(const Plan& plan, const std::vector<double>& seconds)
      : head(plan.tasks.size(), 0), tail(plan.tasks.size(), 0) {
    const std::vector<std::size_t> order = needs_first(plan);
    for (const std::size_t i : order)
      for (const PlannedNeed& need : plan.tasks[i].needs)
        head[i] = std::max(head[i], head[need.task] + seconds[need.task]);
    for (auto at = order.rbegin(); at != order.rend(); ++at)
      for (const PlannedNeed& need : plan.tasks[*at].needs)
        tail[need.task] = std::max(tail[need.task], tail[*at] + seconds[*at]);
  }
};

bool may_do(const AgentProfile& profile, const TaskSpec& spec) {
  Task task;
  task.spec = spec;
  Agent agent;
  agent.profile = profile;
  return !ineligible(task, agent);
}

/// One slot of one agent: what is planned on it, in order.
struct Slot {
  std::size_t agent = 0;
  double free_from = 0;  ///< nothing can be planned before
  struct Span {
    double begin, end;
  };
  std::vector<Span> busy;

  /// The first gap of that length that begins at `ready` or later.
  double first_gap(double ready, double length) const {
    double at = std::max(ready, free_from);
    for (const Span& span : busy) {
      if (at + length <= span.begin) return at;
      at = std::max(at, span.end);
    }
    return at;
  }
  void take(double begin, double end) {
    const auto behind =
        std::find_if(busy.begin(), busy.end(), [&](const Span& s) { return s.begin > begin; });
    busy.insert(behind, {begin, end});
  }
};

/// A schedule: where and when each task runs.
struct Planned {
  std::size_t agent = 0;
  double begin = 0;
  double end = 0;
};

class Heft {
 public:
  explicit Heft(const Setting& setting) : setting_(setting), planned_(setting.plan.tasks.size()) {
    seconds_.assign(planned_.size(), std::vector<double>(setting.agents.size(), endless));
    for (std::size_t t = 0; t < planned_.size(); ++t)
      for (std::size_t a = 0; a < setting.agents.size(); ++a)
        if (may_do(setting.agents[a], spec(t))) seconds_[t][a] = in_seconds(setting.true_seconds(spec(t), a));
    rank();
  }

  /// Plans the tasks that have no place yet, from `now` on, on the agents that live.
  void plan(double now, const std::vector<bool>& dead, const std::vector<bool>& has_place) {
    std::vector<Slot> slots;
    for (std::size_t a = 0; a < setting_.agents.size(); ++a)
      for (std::uint32_t s = 0; s < setting_.agents[a].capacity && !dead[a]; ++s)
        slots.push_back({a, now, {}});
    for (std::size_t t = 0; t < planned_.size(); ++t)
      if (has_place[t]) occupy(slots, planned_[t]);
    for (const std::size_t t : order_) {
      if (has_place[t]) continue;
      double ready = now;
      for (const PlannedNeed& need : setting_.plan.tasks[t].needs)
        ready = std::max(ready, planned_[need.task].end);
      place(t, ready, slots);
    }
  }
  double makespan() const {
    double last = 0;
    for (const Planned& p : planned_) last = std::max(last, p.end);
    return last;
  }
  const std::vector<Planned>& planned() const { return planned_; }

 private:
  const TaskSpec& spec(std::size_t task) const { return setting_.plan.tasks[task].spec; }

  /// Upward ranks over the mean seconds of those who may do a task; a needed task ranks above its dependents.
  void rank() {
    std::vector<double> mean;
    for (const std::vector<double>& row : seconds_) {
      double sum = 0;
      int count = 0;
      for (const double value : row)
        if (value < endless) sum += value, ++count;
      mean.push_back(count > 0 ? sum / count : 0);
    }
    const Chains chains(setting_.plan, mean);
    const std::vector<std::size_t> topological = needs_first(setting_.plan);
    order_ = topological;
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return chains.tail[a] + mean[a] > chains.tail[b] + mean[b];
    });
  }

  void place(std::size_t task, double ready, std::vector<Slot>& slots) {
    Slot* best = nullptr;
    Planned chosen{0, 0, endless};
    for (Slot& slot : slots) {
      const double length = seconds_[task][slot.agent];
      if (length == endless) continue;
      const double begin = slot.first_gap(ready, length);
      if (begin + length < chosen.end) best = &slot, chosen = {slot.agent, begin, begin + length};
    }
    planned_[task] = chosen;
    if (best) best->take(chosen.begin, chosen.end);
  }

  static void occupy(std::vector<Slot>& slots, const Planned& planned) {
    for (Slot& slot : slots)
      if (slot.agent == planned.agent && slot.free_from < planned.end) {
        slot.free_from = planned.end;
        return;
      }
  }

  const Setting& setting_;
  std::vector<std::vector<double>> seconds_;  ///< task × agent
  std::vector<std::size_t> order_;
  std::vector<Planned> planned_;
};

}  // namespace

double lower_bound(const Setting& setting) {
  Micros fastest = 1;
  double capacity = 0;
  for (const AgentProfile& agent : setting.agents) {
    fastest = std::max(fastest, agent.speed);
    capacity += in_seconds(agent.speed) * agent.capacity;
  }
  std::vector<double> at_best;
  for (const PlannedTask& task : setting.plan.tasks)
    at_best.push_back(in_seconds(div_micros(task.spec.size, fastest)));
  const Chains chains(setting.plan, at_best);
  std::vector<std::size_t> by_tail(at_best.size());
  std::iota(by_tail.begin(), by_tail.end(), std::size_t{0});
  std::sort(by_tail.begin(), by_tail.end(),
            [&](std::size_t a, std::size_t b) { return chains.tail[a] > chains.tail[b]; });
  std::vector<double> heads = chains.head;
  std::sort(heads.begin(), heads.end());
  heads.erase(std::unique(heads.begin(), heads.end()), heads.end());
  double bound = 0;
  for (std::size_t i = 0; i < at_best.size(); ++i)
    bound = std::max(bound, chains.head[i] + at_best[i] + chains.tail[i]);
  // Any choice of heads gives a bound: of very many, some are looked at.
  const std::size_t step = 1 + heads.size() * at_best.size() / most_looks;
  for (std::size_t h = 0; h < heads.size(); h += step) {
    const double head = heads[h];
    double work = 0;
    for (const std::size_t i : by_tail) {
      if (chains.head[i] < head) continue;
      work += in_seconds(setting.plan.tasks[i].spec.size);
      bound = std::max(bound, head + work / capacity + chains.tail[i]);
    }
  }
  return bound;
}

double heft_makespan(const Setting& setting) {
  Heft heft(setting);
  heft.plan(0, std::vector<bool>(setting.agents.size(), false),
            std::vector<bool>(setting.plan.tasks.size(), false));
  return heft.makespan();
}

double heft_replanned(const Setting& setting, const std::vector<std::size_t>& dead, double at) {
  std::vector<bool> gone(setting.agents.size(), false);
  Heft heft(setting);
  heft.plan(0, gone, std::vector<bool>(setting.plan.tasks.size(), false));
  for (const std::size_t agent : dead) gone[agent] = true;
  std::vector<bool> has_place;
  for (const Planned& p : heft.planned())
    has_place.push_back(p.end <= at || (p.begin < at && !gone[p.agent]));
  heft.plan(at, gone, has_place);
  return heft.makespan();
}

}  // namespace bidboard
