// Local search. It begins with the best plan without bundles, so that it is never worse than `optimal`;
// adding a bundle removes the packages that its tasks were in, and tasks left over go where they cost least.
#include <algorithm>
#include <limits>
#include <utility>

#include "auction/mechanisms/assignment.hpp"
#include "auction/mechanisms/packages.hpp"

namespace bidboard::packages {
namespace {

/// Passes over all bundles and tasks; nearly always the second pass finds no improvement.
constexpr int passes_max = 8;
constexpr std::size_t nowhere = std::numeric_limits<std::size_t>::max();

/// The data that is the same for all plans.
struct Ground {
  explicit Ground(const Choices& c)
      : choices(c), slots_of(c.market.agents.size()), alone(c.market.tasks.size()) {
    for (std::size_t slot = 0; slot < c.slots.size(); ++slot) slots_of[c.slots[slot].agent].push_back(slot);
    for (std::size_t i = 0; i < c.bundles_from; ++i) alone[c.packages[i].tasks[0]].push_back(i);
  }
  const Choices& choices;
  std::vector<std::vector<std::size_t>> slots_of;  ///< by agent
  std::vector<std::vector<std::size_t>> alone;     ///< by task: the packages with only this task
};

class Draft {
 public:
  explicit Draft(const Ground& ground)
      : ground_(&ground),
        plan_(ground.choices.slots.size()),
        costs_(plan_.size(), 0),
        slot_of_(ground.alone.size(), nowhere),
        left_over_(ground.alone.size()) {}

  const Plan& plan() const { return plan_; }
  /// Fewer tasks left over, then less cost.
  bool beats(const Draft& other) const {
    return std::pair(left_over_, cost_) < std::pair(other.left_over_, other.cost_);
  }
  std::size_t slot_of(std::size_t task) const { return slot_of_[task]; }
  bool has_room(std::size_t slot) const { return choices().problem.queueing || plan_[slot].empty(); }
  bool runs(std::size_t package) const {
    const std::size_t slot = slot_of_[choices().packages[package].tasks.front()];
    return slot != nowhere && std::ranges::find(plan_[slot], package) != plan_[slot].end();
  }

  void put_in(std::size_t slot, std::size_t package) {
    plan_[slot] = with(slot, package);
    for (const std::size_t task : choices().packages[package].tasks) slot_of_[task] = slot;
    left_over_ -= choices().packages[package].tasks.size();
    recount(slot);
  }
  void take_out(std::size_t slot, std::size_t package) {
    std::erase(plan_[slot], package);
    for (const std::size_t task : choices().packages[package].tasks) slot_of_[task] = nowhere;
    left_over_ += choices().packages[package].tasks.size();
    recount(slot);
  }
  /// Removes the package that holds the task, if there is one.
  void free_task(std::size_t task) {
    const std::size_t slot = slot_of_[task];
    if (slot == nowhere) return;
    take_out(slot, *std::ranges::find_if(plan_[slot], [&](std::size_t package) {
               return std::ranges::binary_search(choices().packages[package].tasks, task);
             }));
  }
  void clear(std::size_t slot) {
    while (!plan_[slot].empty()) take_out(slot, plan_[slot].back());
  }
  /// Assigns each task left over, alone, where it adds the least cost.
  void place_left_over() {
    for (std::size_t task = 0; task < slot_of_.size() && left_over_ > 0; ++task)
      if (slot_of_[task] == nowhere) place(ground_->alone[task]);
  }
  /// Adds the package that costs least, at its best slot.
  void place(const std::vector<std::size_t>& packages) {
    std::size_t best_package = nowhere;
    std::size_t best_slot = nowhere;
    Wide least = 0;
    for (const std::size_t package : packages)
      for (const std::size_t slot : ground_->slots_of[choices().packages[package].agent]) {
        if (!has_room(slot)) continue;
        const Wide more = choices().cost(slot, with(slot, package)) - costs_[slot];
        if (best_package != nowhere && more >= least) continue;
        best_package = package;
        best_slot = slot;
        least = more;
      }
    if (best_package != nowhere) put_in(best_slot, best_package);
  }

 private:
  const Choices& choices() const { return ground_->choices; }
  /// The slot's packages and that one. Packages that make many tasks wait long for few run late (Smith,
  /// "Various optimizers for single-stage production", Naval Research Logistics Quarterly 3, 1956); ties in
  /// the order of admission.
  std::vector<std::size_t> with(std::size_t slot, std::size_t package) const {
    std::vector<std::size_t> run = plan_[slot];
    const auto before = [&](std::size_t a, std::size_t b) {
      const Package& p = choices().packages[a];
      const Package& q = choices().packages[b];
      const Wide left = Wide{p.delay} * static_cast<Wide>(q.tasks.size());
      const Wide right = Wide{q.delay} * static_cast<Wide>(p.tasks.size());
      return left != right ? left < right : p.tasks.front() < q.tasks.front();
    };
    run.insert(std::ranges::upper_bound(run, package, before), package);
    return run;
  }
  void recount(std::size_t slot) {
    cost_ -= costs_[slot];
    costs_[slot] = choices().cost(slot, plan_[slot]);
    cost_ += costs_[slot];
  }

  const Ground* ground_;
  Plan plan_;
  std::vector<Wide> costs_;           ///< by slot
  std::vector<std::size_t> slot_of_;  ///< by task
  std::size_t left_over_ = 0;
  Wide cost_ = 0;
};

Draft without_bundles(const Ground& ground) {
  const Choices& choices = ground.choices;
  const assignment::Matrix matrix(choices.problem, choices.market);
  const assignment::Solution solution = assignment::shortest_paths(matrix);
  Draft draft(ground);
  for (std::size_t queue = 0; queue < matrix.queues.size(); ++queue) {
    const auto [agent, slot] = matrix.queues[queue];
    std::size_t next = slot;
    for (const assignment::Index row : solution.rows[queue]) {
      const auto& alone = ground.alone[matrix.tasks[row]];
      draft.put_in(ground.slots_of[agent][next],
                   *std::ranges::find(alone, std::size_t{agent},
                                      [&](std::size_t package) { return choices.packages[package].agent; }));
      if (!choices.problem.queueing) ++next;
    }
  }
  return draft;
}

/// Adds the bundle at its best slot. Returns whether that lowered the cost.
bool take_in(Draft& draft, const Ground& ground, std::size_t bundle) {
  const Package& package = ground.choices.packages[bundle];
  Draft freed = draft;
  for (const std::size_t task : package.tasks) freed.free_task(task);
  bool paid = false;
  const auto consider = [&](Draft& trial) {
    trial.place_left_over();
    if (!trial.beats(draft)) return;
    draft = std::move(trial);
    paid = true;
  };
  if (ground.choices.problem.queueing) {
    freed.place({bundle});
    consider(freed);
    return paid;
  }
  for (const std::size_t slot : ground.slots_of[package.agent]) {
    Draft trial = freed;
    trial.clear(slot);
    trial.put_in(slot, bundle);
    consider(trial);
  }
  return paid;
}

/// Removes the package that holds the task and places the task again.
bool move(Draft& draft, std::size_t task) {
  Draft trial = draft;
  trial.free_task(task);
  trial.place_left_over();
  if (!trial.beats(draft)) return false;
  draft = std::move(trial);
  return true;
}

}  // namespace

Plan good_plan(const Choices& choices) {
  const Ground ground(choices);
  Draft draft = without_bundles(ground);
  bool paid = choices.bundles_from < choices.packages.size();
  for (int pass = 0; paid && pass < passes_max; ++pass) {
    paid = false;
    for (std::size_t bundle = choices.bundles_from; bundle < choices.packages.size(); ++bundle)
      if (!draft.runs(bundle)) paid = take_in(draft, ground, bundle) || paid;
    for (std::size_t task = 0; task < ground.alone.size(); ++task) paid = move(draft, task) || paid;
  }
  return draft.plan();
}

}  // namespace bidboard::packages
