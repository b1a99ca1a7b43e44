// Pull: ready tasks are announced to every free agent that may take them; agents choose, and the first valid
// request for a task wins.
#include "runtime/coordination/announced.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/coordination/walking.hpp"
#include "runtime/core/award.hpp"

namespace bidboard {
namespace {

class BlackboardCoordinator final : public WalkingCoordinator {
 public:
  std::string_view name() const override { return "blackboard"; }
  Outlook outlook() const override { return {.sees_busy = false}; }

  void on_message(Core& core, AgentId agent, const Message& message) override {
    if (std::holds_alternative<Heartbeat>(message)) announced_.repeat(core, agent);
    if (const auto* take = std::get_if<Take>(&message)) on_take(core, agent, *take);
  }
  void agent_heard(Core& core, AgentId agent, bool reconnected) override {
    WalkingCoordinator::agent_heard(core, agent, reconnected);
    if (reconnected) announced_.forget(agent);
  }
  void agent_gone(Core&, AgentId agent) override { announced_.forget(agent); }
  /// If the task returns, it is announced again.
  void task_closed(Core&, TaskId task, Closed) override {
    announced_.remove(task, [](AgentId) {});
  }
  void forget(Core& core) override {
    WalkingCoordinator::forget(core);
    announced_.clear();
  }

 private:
  bool settle_piece(Core& core, const Situation& situation) override {
    std::map<AgentId, Announcement> announcements;
    for (const TaskView& task : situation.tasks)
      for (const std::size_t i : task.eligible) {
        const AgentId agent = situation.agents[i].agent->id;
        if (situation.agents[i].free_slots == 0) continue;
        if (announced_.add(agent, task.task->id)) announcements[agent].offers.push_back(offer_of(*task.task));
      }
    for (auto& [agent, announcement] : announcements) {
      announcement.pull = true;
      core.send(agent, std::move(announcement));
    }
    return false;
  }

  void on_take(Core& core, AgentId id, const Take& message) {
    for (const TaskId task_id : message.tasks) {
      // Only tasks that it was sent: an agent that failed a task is sent it only if no other agent may have
      // it.
      if (!announced_.remove(id, task_id)) continue;
      const Task* task = core.board.task(task_id);
      const Agent& agent = *core.board.agent(id);
      if (!task || !has_free_slot(core, agent) || !may_be_awarded(*task) || objection(core, *task, agent))
        continue;
      award(core, *task, agent, plain_decision(core, task_id, "its claim was the first valid one"));
    }
    core.wake();
  }

  Announced announced_;
};

}  // namespace

std::unique_ptr<Coordinator> make_blackboard() { return std::make_unique<BlackboardCoordinator>(); }

}  // namespace bidboard
