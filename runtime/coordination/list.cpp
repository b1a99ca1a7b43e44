// Bottom-level list scheduling: tasks in the order of the ready index (priority, then bottom level), each to
// the agent on which it would finish first.
//
// The order is that of list scheduling (Graham, "Bounds on multiprocessing timing anomalies", SIAM J. Applied
// Mathematics 17, 1969), the choice of the agent the earliest-finish-time rule of HEFT (Topcuoglu, Hariri and
// Wu, IEEE Trans. Parallel and Distributed Systems 13, 2002), without insertion into gaps and without
// knowledge of what is yet to come: it knows sizes, speeds and skill levels, and decides anew at each event.
// A free agent never waits, but a task does: while it would finish earlier on a busy agent, even behind the
// tasks that wait for that one already, it is held back.
#include <algorithm>

#include "auction/bid.hpp"
#include "blackboard/fmt.hpp"
#include "runtime/coordination/push.hpp"
#include "runtime/coordination/strategy.hpp"

namespace bidboard {
namespace {

class ListCoordinator final : public PushCoordinator {
 public:
  std::string_view name() const override { return "list"; }
  Outlook outlook() const override { return {.looks_ahead = true}; }

 protected:
  std::vector<Choice> choose(const Situation& situation) override {
    std::vector<AgentView> agents = situation.agents;
    std::vector<Choice> choices;
    for (std::size_t t = 0; t < situation.tasks.size(); ++t) {
      const TaskView& task = situation.tasks[t];
      const std::size_t* best = nullptr;
      Finish earliest;
      for (const std::size_t& candidate : task.eligible) {
        if (agents[candidate].slot_free_in.empty()) continue;
        const Finish finish = finish_on(task.task->spec, agents[candidate]);
        if (best && !(finish < earliest)) continue;
        best = &candidate;
        earliest = finish;
      }
      if (!best) continue;
      AgentView& winner = agents[*best];
      choices.push_back({t, *best,
                         fmt::format("it would finish first there, {} from now", Duration{earliest.at}),
                         earliest.begins_in});
      occupy(winner, earliest.at);
    }
    return choices;
  }

 private:
  /// Lower is better.
  struct Finish {
    Micros at = 0;  ///< from now
    Micros begins_in = 0;
    std::uint32_t load = 0;
    AgentId agent;
    auto operator<=>(const Finish&) const = default;
  };

  static Finish finish_on(const TaskSpec& task, const AgentView& agent) {
    const Micros begins_in = agent.slot_free_in.front();
    return {begins_in + standard_bid(task, agent.agent->profile).seconds, begins_in, agent.holding,
            agent.agent->id};
  }

  /// Its next slot is taken until then. Never 0: the second task must not look as if it could begin now.
  static void occupy(AgentView& agent, Micros until) {
    agent.holding += 1;
    agent.slot_free_in.front() = std::max<Micros>(until, 1);
    std::ranges::sort(agent.slot_free_in);
  }
};

}  // namespace

std::unique_ptr<Coordinator> make_list() { return std::make_unique<ListCoordinator>(); }

}  // namespace bidboard
