#include "experiments/schedule.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "auction/eligibility.hpp"

namespace bidboard {
namespace {

constexpr std::size_t most_looks = 50'000'000;
/// Of more pairs of task and agent the durations are not looked at one by one.
constexpr std::size_t most_pairs = 2'000'000;
constexpr double endless = std::numeric_limits<double>::infinity();

double in_seconds(Micros value) { return from_micros(value); }

/// For each task the longest chain of `seconds` that must pass before it begins, and after it has ended.
struct Chains {
  std::vector<double> head;
  std::vector<double> tail;

  Chains(const Plan& plan, const std::vector<Micros>& seconds) {
    const TaskGraph graph = graph_of(plan.tasks, seconds);
    for (const auto& [task, before] : graph.top_levels()) head.push_back(in_seconds(before));
    for (const auto& [task, level] : graph.bottom_levels())
      tail.push_back(in_seconds(level - seconds[tail.size()]));
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

class Planner {
 public:
  explicit Planner(const Setting& setting) : setting_(setting), planned_(setting.plan.tasks.size()) {
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
  /// Whenever a slot is free, it takes the ready task of the highest rank that its agent may do. In whole
  /// micro-units: what ends together must be seen to.
  void plan_by_list() {
    std::vector<std::size_t> open(order_.size());
    std::vector<std::size_t> rank_of(order_.size());
    std::vector<std::vector<std::size_t>> dependents(order_.size());
    std::set<std::size_t> ready;  // ranks
    for (std::size_t rank = 0; rank < order_.size(); ++rank) {
      const std::size_t t = order_[rank];
      rank_of[t] = rank;
      open[t] = setting_.plan.tasks[t].needs.size();
      for (const PlannedNeed& need : setting_.plan.tasks[t].needs) dependents[need.task].push_back(t);
      if (open[t] == 0) ready.insert(rank);
    }
    std::vector<std::uint32_t> free;
    for (const AgentProfile& agent : setting_.agents) free.push_back(agent.capacity);
    std::multimap<Micros, std::size_t> running;  // by their end
    Micros now = 0;
    while (!ready.empty() || !running.empty()) {
      std::erase_if(ready, [&](std::size_t rank) {
        const std::size_t t = order_[rank];
        for (std::size_t a = 0; a < free.size(); ++a) {
          if (free[a] == 0 || seconds_[t][a] == endless) continue;
          const auto end = running.emplace(now + to_micros(seconds_[t][a]), t);
          planned_[t] = {a, in_seconds(now), in_seconds(end->first)};
          --free[a];
          return true;
        }
        return false;
      });
      if (running.empty()) return;  // nobody may do the rest
      now = running.begin()->first;
      for (auto at = running.begin(); at != running.end() && at->first == now; at = running.erase(at)) {
        ++free[planned_[at->second].agent];
        for (const std::size_t next : dependents[at->second])
          if (--open[next] == 0) ready.insert(rank_of[next]);
      }
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
    std::vector<Micros> mean;
    for (const std::vector<double>& row : seconds_) {
      double sum = 0;
      int count = 0;
      for (const double value : row)
        if (value < endless) sum += value, ++count;
      mean.push_back(to_micros(count > 0 ? sum / count : 0));
    }
    const Chains chains(setting_.plan, mean);
    order_ = needs_first(setting_.plan);
    std::stable_sort(order_.begin(), order_.end(), [&](std::size_t a, std::size_t b) {
      return chains.tail[a] + in_seconds(mean[a]) > chains.tail[b] + in_seconds(mean[b]);
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

/// What each task costs at least, on any agent.
struct Least {
  std::vector<Micros> seconds;
  std::vector<Micros> work;  ///< seconds × speed

  explicit Least(const Setting& setting) {
    Micros fastest = 1;
    for (const AgentProfile& agent : setting.agents) fastest = std::max(fastest, agent.speed);
    for (const PlannedTask& task : setting.plan.tasks) {
      seconds.push_back(div_micros(task.spec.size, fastest));
      work.push_back(task.spec.size);
    }
    if (setting.error == 0) return;
    const bool many = setting.agents.size() * setting.plan.tasks.size() > most_pairs;
    for (std::size_t t = 0; t < seconds.size(); ++t) {
      if (many)
        seconds[t] = mul_micros(seconds[t], setting.least_factor()),
        work[t] = mul_micros(work[t], setting.least_factor());
      else
        set_least(setting, t);
    }
  }

 private:
  void set_least(const Setting& setting, std::size_t t) {
    const TaskSpec& spec = setting.plan.tasks[t].spec;
    seconds[t] = work[t] = std::numeric_limits<Micros>::max();
    for (std::size_t a = 0; a < setting.agents.size(); ++a) {
      const Micros on_agent = setting.true_seconds(spec, a);
      seconds[t] = std::min(seconds[t], on_agent);
      work[t] = std::min(work[t], mul_micros(on_agent, setting.agents[a].speed));
    }
  }
};

}  // namespace

double lower_bound(const Setting& setting) {
  double capacity = 0;
  for (const AgentProfile& agent : setting.agents) capacity += in_seconds(agent.speed) * agent.capacity;
  const Least least(setting);
  const std::vector<Micros>& at_best = least.seconds;
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
    bound = std::max(bound, chains.head[i] + in_seconds(at_best[i]) + chains.tail[i]);
  // Any choice of heads gives a bound: of very many, some are looked at.
  const std::size_t step = 1 + heads.size() * at_best.size() / most_looks;
  for (std::size_t h = 0; h < heads.size(); h += step) {
    const double head = heads[h];
    double work = 0;
    for (const std::size_t i : by_tail) {
      if (chains.head[i] < head) continue;
      work += in_seconds(least.work[i]);
      bound = std::max(bound, head + work / capacity + chains.tail[i]);
    }
  }
  return bound;
}

double heft_makespan(const Setting& setting) {
  Planner heft(setting);
  heft.plan(0, std::vector<bool>(setting.agents.size(), false),
            std::vector<bool>(setting.plan.tasks.size(), false));
  return heft.makespan();
}

double list_makespan(const Setting& setting) {
  Planner planner(setting);
  planner.plan_by_list();
  return planner.makespan();
}

double heft_replanned(const Setting& setting, const std::vector<std::size_t>& dead, double at) {
  std::vector<bool> gone(setting.agents.size(), false);
  Planner heft(setting);
  heft.plan(0, gone, std::vector<bool>(setting.plan.tasks.size(), false));
  for (const std::size_t agent : dead) gone[agent] = true;
  std::vector<bool> has_place;
  for (const Planned& p : heft.planned())
    has_place.push_back(p.end <= at || (p.begin < at && !gone[p.agent]));
  heft.plan(at, gone, has_place);
  return heft.makespan();
}

}  // namespace bidboard
