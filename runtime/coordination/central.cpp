// A central scheduler pushes each task to the least loaded agent that has the skills.
#include <algorithm>

#include "auction/eligibility.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/coordination/push.hpp"
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class CentralCoordinator final : public PushCoordinator {
 public:
  std::string_view name() const override { return "central"; }
  Outlook outlook() const override { return {.sees_busy = false}; }

 protected:
  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<AgentView> agents = situation.agents;
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t) {
      const TaskView& task = situation.tasks[t];
      const std::size_t* best = nullptr;
      for (const std::size_t& candidate : task.eligible)
        if (agents[candidate].free_slots > 0 &&
            (!best || is_better(task.task->spec, agents[candidate], agents[*best])))
          best = &candidate;
      if (!best) continue;
      AgentView& winner = agents[*best];
      choices.push_back({t, *best,
                         fmt::format("least loaded of those who can: it held {} of {}", winner.holding,
                                     winner.agent->profile.capacity)});
      winner.free_slots -= 1;
      winner.holding += 1;
    }
    return choices;
  }

 private:
  static bool is_better(const TaskSpec& task, const AgentView& a, const AgentView& b) {
    // holding / capacity, compared without division
    const std::uint64_t load_a = std::uint64_t{a.holding} * b.agent->profile.capacity;
    const std::uint64_t load_b = std::uint64_t{b.holding} * a.agent->profile.capacity;
    if (load_a != load_b) return load_a < load_b;
    const Micros rate_a = mul_micros(a.agent->profile.speed, skill_level(task, a.agent->profile));
    const Micros rate_b = mul_micros(b.agent->profile.speed, skill_level(task, b.agent->profile));
    if (rate_a != rate_b) return rate_a > rate_b;
    return a.agent->id < b.agent->id;
  }
};

}  // namespace

std::unique_ptr<Coordinator> make_central() { return std::make_unique<CentralCoordinator>(); }

}  // namespace bidboard
