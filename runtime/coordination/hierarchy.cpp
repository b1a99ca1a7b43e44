// Down a tree of managers, each a process of its own that assigns a task to the least loaded of its members
// that can take it, or returns it. The rule is in agents/manager.cpp; delegation.cpp carries the messages.
#include <algorithm>

#include "runtime/coordination/delegation.hpp"
#include "runtime/coordination/strategy.hpp"
#include "runtime/core/core.hpp"

namespace bidboard {
namespace {

class HierarchyCoordinator final : public WalkingCoordinator {
 public:
  std::string_view name() const override { return "hierarchy"; }
  Outlook outlook() const override { return {.sees_busy = false}; }

  void on_message(Core& core, AgentId agent, const Message& message) override {
    Delegating here = in(core);
    if (const auto* choices = std::get_if<Choices>(&message)) on_choices(here, agent, *choices);
  }
  void agent_heard(Core& core, AgentId agent, bool reconnected) override {
    WalkingCoordinator::agent_heard(core, agent, reconnected);
    Delegating here = in(core);
    heard_manager(here, agent, reconnected);
  }
  void task_closed(Core&, TaskId task, Closed) override { tree_.routes.erase(task); }
  void on_change(Core& core, const Change& change) override {
    WalkingCoordinator::on_change(core, change);
    if (const AgentId agent = affected(change)) tree_.touch(agent);
    if (std::holds_alternative<BreakerMoved>(change.event->body) ||
        std::holds_alternative<BudgetRaised>(change.event->body))
      for (const auto& [agent, manager] : tree_.above) tree_.news.insert(manager);
    if (std::holds_alternative<AgentRegistered>(change.event->body) ||
        std::holds_alternative<AgentLeft>(change.event->body))
      tree_.changed = true;
  }
  void tick(Core& core) override {
    WalkingCoordinator::tick(core);
    Delegating here = in(core);
    pass_over_silent(here);
  }
  Instant next_wakeup(const Core& core) const override {
    return std::min(WalkingCoordinator::next_wakeup(core), next_choice_due(tree_));
  }
  void forget(Core& core) override {
    WalkingCoordinator::forget(core);
    tree_ = {};
  }

 private:
  Delegating in(Core& core) { return {core, tree_, roster_}; }
  void begin_settle(Core& core) override {
    Delegating here = in(core);
    begin_delegating(here);
  }
  bool settle_piece(Core& core, const Situation& situation) override {
    Delegating here = in(core);
    return settle_by_delegation(here, situation);
  }
  void end_settle(Core& core) override {
    Delegating here = in(core);
    send_delegations(here);
  }

  Hierarchy tree_;
};

}  // namespace

std::unique_ptr<Coordinator> make_hierarchy() { return std::make_unique<HierarchyCoordinator>(); }

}  // namespace bidboard
